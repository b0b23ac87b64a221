/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures: gnuplot draws them into memory; then they are written to files. */
#include "host/report/picture.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/lib/process.h"
#include "host/lib/error.h"
#include "host/lib/file.h"

#define GNUPLOT_TIMEOUT_NS 600000000000ull

/* A larger output is an error of gnuplot. */
#define PICTURE_BYTES_MAX (64 << 20)

struct format {
	const char *suffix;
	const char *terminal; /* printf format: width, height */
	unsigned int scale;   /* of the picture, in halves */
};

/* gnuplot has SVG font sizes in pixels and cairo font sizes in points: 4/3. */
static const struct format formats[PICTURE_FORMATS] = {
	[PICTURE_SVG] = { "svg",
			  "set terminal svg noenhanced size %u,%u font 'sans-serif,10' fontscale 1.333 background '#ffffff'\n",
			  2 },
	[PICTURE_PNG] = { "png",
			  "set terminal pngcairo noenhanced size %u,%u font 'sans-serif,10' rounded fontscale 1.5 linewidth 1.5\n",
			  3 },
};

struct picture *picture_add(struct picture_list *list)
{
	list->pictures =
		reallocarray(list->pictures, list->n + 1, sizeof(*list->pictures));
	if (!list->pictures)
		abort();
	list->pictures[list->n] = (struct picture){ 0 };
	return &list->pictures[list->n++];
}

void picture_list_free(struct picture_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->pictures[i].stem);
		free(list->pictures[i].caption);
		free(list->pictures[i].script);
	}
	free(list->pictures);
	*list = (struct picture_list){ 0 };
}

void picture_files_free(struct picture_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->paths[i]);
	free(files->paths);
	*files = (struct picture_files){ 0 };
}

static bool is_taken(const struct picture_list *list, const char *stem)
{
	for (size_t i = 0; i + 1 < list->n; i++)
		if (!strcmp(list->pictures[i].stem, stem))
			return true;
	return false;
}

#define STEM_MAX 128

void picture_name(struct picture_list *list, const char *fmt, ...)
{
	char stem[STEM_MAX], numbered[STEM_MAX + 24];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(stem, sizeof(stem), fmt, ap);
	va_end(ap);
	for (char *c = stem; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
			*c = '-';
	if (*stem == '.')
		*stem = '-';
	snprintf(numbered, sizeof(numbered), "%s", stem);
	for (size_t i = 2; is_taken(list, numbered); i++)
		snprintf(numbered, sizeof(numbered), "%s-%zu", stem, i);
	list->pictures[list->n - 1].stem = strdup(numbered);
	if (!list->pictures[list->n - 1].stem)
		abort();
}

static char *script_text(const struct picture *p, const struct format *format)
{
	char terminal[256], *text;

	snprintf(terminal, sizeof(terminal), format->terminal,
		 p->width * format->scale / 2, p->height * format->scale / 2);
	if (asprintf(&text, "%sset output '/dev/fd/3'\n%sunset output\n", terminal,
		     p->script) < 0)
		abort();
	return text;
}

/* gnuplot's message is the last line of its output; the lines before quote the script. */
static void last_line(int fd, char *why, size_t bytes)
{
	off_t end = lseek(fd, 0, SEEK_END), room = (off_t)bytes - 1;
	ssize_t n = pread(fd, why, bytes - 1, end > room ? end - room : 0);
	char *line;

	why[n > 0 ? n : 0] = '\0';
	n = (ssize_t)strlen(why);
	while (n && strchr("\n\r ", why[n - 1]))
		why[--n] = '\0';
	line = strrchr(why, '\n');
	if (line)
		memmove(why, line + 1, strlen(line));
}

/*
 * Runs gnuplot on `script`. Descriptor 3 of gnuplot is `fd`, the output. The script and
 * gnuplot's messages are files in memory; -d ignores the user's gnuplot configuration.
 */
static int run(const char *script, int fd, struct error *err)
{
	static const char *const argv[] = { "gnuplot", "-d", "-", NULL };
	int script_fd = memfd_create("script", MFD_CLOEXEC);
	int messages_fd = memfd_create("messages", MFD_CLOEXEC);
	const int fds[] = { script_fd, messages_fd, messages_fd, fd };
	const struct process_start how = { .argv = argv, .fds = fds, .n_fds = 4 };
	struct process p;
	char why[256] = "";
	int ret = 0, status = 0;

	if (script_fd < 0 || messages_fd < 0)
		ret = -errno;
	if (!ret)
		ret = file_write(script_fd, script, strlen(script));
	if (!ret && lseek(script_fd, 0, SEEK_SET))
		ret = -errno;
	if (!ret)
		ret = process_start(&p, &how);
	if (!ret) {
		ret = process_wait(&p, GNUPLOT_TIMEOUT_NS, &status);
		process_stop(&p);
	}
	if (!ret && (!WIFEXITED(status) || WEXITSTATUS(status))) {
		ret = -EIO;
		last_line(messages_fd, why, sizeof(why));
		if (!*why && WIFSIGNALED(status))
			snprintf(why, sizeof(why), "killed by signal %d",
				 WTERMSIG(status));
		else if (!*why)
			snprintf(why, sizeof(why), "exit status %d", WEXITSTATUS(status));
	}
	if (script_fd >= 0)
		close(script_fd);
	if (messages_fd >= 0)
		close(messages_fd);
	if (ret == -ENOENT)
		return error_set(err, ret,
				 "gnuplot is not installed: no picture can be drawn");
	if (*why)
		return error_set(err, ret, "gnuplot failed: %s", why);
	if (ret)
		return error_set(err, ret, "cannot run gnuplot: %s", strerror(-ret));
	return 0;
}

/* Reads gnuplot's output; an empty picture is an error. */
static int collect(int fd, const char *stem, char **text, size_t *bytes,
		   struct error *err)
{
	struct stat st;
	size_t got = 0;

	if (fstat(fd, &st))
		return error_set(err, -errno, "cannot draw %s: %s", stem,
				 strerror(errno));
	if (!st.st_size || st.st_size > PICTURE_BYTES_MAX)
		return error_set(err, -EIO, "gnuplot failed: %s for %s",
				 st.st_size ? "the picture is too large"
					    : "it drew nothing",
				 stem);
	*text = malloc((size_t)st.st_size + 1);
	if (!*text)
		abort();
	while (got < (size_t)st.st_size) {
		ssize_t n = pread(fd, *text + got, (size_t)st.st_size - got, (off_t)got);

		if (n > 0) {
			got += (size_t)n;
		} else if (!n || errno != EINTR) {
			free(*text);
			*text = NULL;
			return error_set(err, n ? -errno : -EIO,
					 "cannot draw %s: cannot read the picture", stem);
		}
	}
	(*text)[got] = '\0';
	*bytes = got;
	return 0;
}

int picture_render(const struct picture *p, enum picture_format format, char **text,
		   size_t *bytes, struct error *err)
{
	/* In memory: neither a full disk nor a crash leaves half a picture. */
	int fd = memfd_create("picture", MFD_CLOEXEC), ret;
	char *script;

	*text = NULL;
	if (fd < 0)
		return error_set(err, -errno, "cannot draw %s: %s", p->stem,
				 strerror(errno));
	script = script_text(p, &formats[format]);
	ret = run(script, fd, err);
	free(script);
	if (!ret)
		ret = collect(fd, p->stem, text, bytes, err);
	close(fd);
	return ret;
}

static void remember(struct picture_files *files, char *path)
{
	files->paths = reallocarray(files->paths, files->n + 1, sizeof(*files->paths));
	if (!files->paths)
		abort();
	files->paths[files->n++] = path;
}

static int save(const struct picture *p, enum picture_format format, const char *dir,
		struct picture_files *files, struct error *err)
{
	char *text, *path;
	size_t bytes = 0;
	int ret = picture_render(p, format, &text, &bytes, err);

	if (ret)
		return ret;
	if (asprintf(&path, "%s/%s.%s", dir, p->stem, formats[format].suffix) < 0)
		abort();
	ret = file_replace(path, text, bytes);
	free(text);
	if (!ret) {
		remember(files, path);
		return 0;
	}
	error_set(err, ret, "cannot write %s: %s", path, strerror(-ret));
	free(path);
	return ret;
}

int picture_save(const struct picture_list *list, const char *dir,
		 struct picture_files *files, struct error *err)
{
	int rc = file_make_folders(dir);

	*files = (struct picture_files){ 0 };
	if (rc)
		return error_set(err, rc, "cannot make folder %s: %s", dir,
				 strerror(-rc));
	for (size_t i = 0; i < list->n; i++) {
		for (unsigned int f = 0; f < PICTURE_FORMATS; f++) {
			int ret = save(&list->pictures[i], f, dir, files, err);

			if (ret)
				return ret;
		}
	}
	return 0;
}
