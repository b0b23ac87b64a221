/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bar charts: one pair of files per unit, drawn beside their place and renamed. */
#include "host/view/chart.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/result/result.h"
#include "host/view/chart_model.h"
#include "host/view/gnuplot.h"

struct format {
	const char *suffix;
	const char *terminal; /* printf format: width, height */
	unsigned int scale;   /* of the picture, in halves */
};

/* gnuplot's svg font sizes are pixels, cairo's are points: 4/3 makes them alike. */
static const struct format formats[] = {
	{ "svg",
	  "set terminal svg noenhanced size %u,%u font 'sans-serif,10' fontscale 1.333 "
	  "background '#ffffff'\n",
	  2 },
	{ "png",
	  "set terminal pngcairo noenhanced size %u,%u font 'sans-serif,10' fontscale "
	  "1.5 "
	  "linewidth 1.5\n",
	  3 },
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

/* Where the pictures go. */
struct folder {
	const char *path;
	int fd;
	struct chart_files *files;
	struct chart_error *err;
};

static int fail(struct chart_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct chart_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

void chart_files_free(struct chart_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->paths[i]);
	free(files->paths);
	*files = (struct chart_files){ 0 };
}

static void remember(struct folder *dir, const char *name)
{
	struct chart_files *files = dir->files;

	files->paths = reallocarray(files->paths, files->n + 1, sizeof(*files->paths));
	if (!files->paths)
		abort();
	if (asprintf(&files->paths[files->n], "%s/%s", dir->path, name) < 0)
		abort();
	files->n++;
}

static char *script_text(const struct chart_model *m, const struct format *format,
			 const char *output)
{
	unsigned int height = chart_model_height(m);
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	fprintf(f, format->terminal, CHART_WIDTH * format->scale / 2,
		height * format->scale / 2);
	fputs("set output ", f);
	gnuplot_quote(f, output);
	fputc('\n', f);
	chart_script(f, m);
	fputs("unset output\n", f);
	if (fclose(f))
		abort();
	return text;
}

static int run(struct folder *dir, const char *script)
{
	char why[256];
	int ret = gnuplot_run(script, dir->fd, why, sizeof(why));

	if (ret == -ENOENT)
		return fail(dir->err, ret,
			    "gnuplot is not installed: no chart can be drawn");
	if (ret == -EIO)
		return fail(dir->err, ret, "gnuplot failed: %s", why);
	if (ret)
		return fail(dir->err, ret, "cannot run gnuplot: %s", strerror(-ret));
	return 0;
}

/* On the disk and in its place; an empty picture is none. */
static int publish(struct folder *dir, const char *temporary, const char *name)
{
	int fd = openat(dir->fd, temporary, O_RDONLY | O_CLOEXEC), ret = 0;
	struct stat st = { 0 };

	if (fd < 0 || fstat(fd, &st) || fsync(fd))
		ret = -errno;
	if (fd >= 0)
		close(fd);
	if (!ret && !st.st_size)
		return fail(dir->err, -EIO, "%s/%s: gnuplot drew nothing", dir->path,
			    name);
	if (!ret && renameat(dir->fd, temporary, dir->fd, name))
		ret = -errno;
	if (ret)
		return fail(dir->err, ret, "%s/%s: %s", dir->path, name, strerror(-ret));
	remember(dir, name);
	return 0;
}

static int draw(struct folder *dir, const struct chart_model *m,
		const struct format *format)
{
	char name[64], temporary[96];
	char *script;
	int fd, ret;

	snprintf(name, sizeof(name), "round_trip-%s.%s", m->unit, format->suffix);
	snprintf(temporary, sizeof(temporary), ".%s.%ld", name, (long)getpid());
	/* Made here: gnuplot would go on without a file, and say so on its own. */
	fd = openat(dir->fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return fail(dir->err, -errno, "%s/%s: %s", dir->path, name,
			    strerror(errno));
	close(fd);
	script = script_text(m, format, temporary);
	ret = run(dir, script);
	if (!ret)
		ret = publish(dir, temporary, name);
	if (ret)
		unlinkat(dir->fd, temporary, 0);
	free(script);
	return ret;
}

/* One unit's chart in all formats; a unit without figures has none. */
static int draw_unit(struct folder *dir, const char *unit,
		     const struct result *const *docs, size_t n)
{
	struct chart_model m;
	int ret = 0;

	chart_model_build(&m, unit, docs, n);
	for (size_t i = 0; i < FORMATS && m.n_bars && !ret; i++)
		ret = draw(dir, &m, &formats[i]);
	chart_model_free(&m);
	return ret;
}

static int open_folder(struct folder *dir)
{
	if (mkdir(dir->path, 0777) && errno != EEXIST)
		return fail(dir->err, -errno, "%s: %s", dir->path, strerror(errno));
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0)
		return fail(dir->err, -errno, "%s: %s", dir->path, strerror(errno));
	return 0;
}

int chart_bars(const struct result *const *docs, size_t n, const char *dir,
	       struct chart_files *files, struct chart_error *err)
{
	/* The units there are; they make file names, so no other will do. */
	static const char *const units[] = { "insns", "ticks" };
	struct folder folder = { .path = dir, .fd = -1, .files = files, .err = err };
	int ret;

	*files = (struct chart_files){ 0 };
	ret = open_folder(&folder);
	for (size_t i = 0; i < 2 && !ret; i++)
		ret = draw_unit(&folder, units[i], docs, n);
	if (folder.fd >= 0)
		close(folder.fd);
	if (!ret && !files->n)
		ret = fail(err, -ENODATA, "there is no round trip to draw");
	return ret;
}
