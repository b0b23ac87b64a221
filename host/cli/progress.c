/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line of progress, drawn over itself on a terminal. */
#include "host/cli/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/cli/options.h"

#define LINE_MAX_BYTES	  512
#define INTERVAL_NS	  50000000ull
#define WIDTH_WHEN_UNSAID 80

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* One less than the terminal has: a full line would wrap and stay behind. */
static size_t line_width(void)
{
	struct winsize ws;
	size_t width = WIDTH_WHEN_UNSAID;

	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) && ws.ws_col)
		width = ws.ws_col;
	return width < LINE_MAX_BYTES ? width - 1 : LINE_MAX_BYTES - 1;
}

void progress_init(struct progress *p, const struct options_common *common)
{
	*p = (struct progress){ .on = !common->quiet && message_terminal(stderr) };
}

void progress_show(struct progress *p, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	uint64_t now;
	va_list ap;

	if (!p->on)
		return;
	now = now_ns();
	if (p->drawn && now - p->last_ns < INTERVAL_NS)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	line[line_width()] = '\0';
	message_clean(line);
	/* The cut must not go through a UTF-8 sequence, nor bytes pass for columns. */
	for (char *c = line; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
	p->drawn = true;
	p->last_ns = now;
}

void progress_clear(struct progress *p)
{
	if (!p->drawn)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	p->drawn = false;
}
