/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Progress on stderr, and the time that is left. */
#include "host/cli/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/lib/text.h"
#include "host/cli/options.h"

#define LINE_MAX_BYTES	  512
#define INTERVAL_NS	  50000000ull
#define LOG_INTERVAL_NS	  60000000000ull
#define SECOND_NS	  1000000000ull
#define WIDTH_WHEN_UNSAID 80

uint64_t progress_now_ns(void)
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
	*p = (struct progress){
		.terminal = !common->quiet && message_terminal(stderr),
		.log = !common->quiet && !message_terminal(stderr),
		.last_ns = progress_now_ns(),
	};
}

static void draw(struct progress *p, char *line)
{
	text_clean(line, line_width() + 1);
	/* The cut must not go through a UTF-8 sequence, nor bytes pass for columns. */
	for (char *c = line; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
	p->drawn = true;
}

void progress_show(struct progress *p, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	uint64_t now = progress_now_ns();
	va_list ap;

	if (!p->terminal && !p->log)
		return;
	if (p->log ? now - p->last_ns < LOG_INTERVAL_NS
		   : p->drawn && now - p->last_ns < INTERVAL_NS)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (p->log)
		message_info(false, "%s", line);
	else
		draw(p, line);
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

void progress_work_begin(struct progress_work *w)
{
	w->begin_ns = progress_now_ns();
	w->boots_ns = 0;
}

void progress_work_end(struct progress_work *w)
{
	w->ended++;
	w->ended_ns += progress_now_ns() - w->begin_ns;
}

/* ", about 2 min left" */
static void left_text(char text[PROGRESS_LEFT_BYTES], uint64_t ns)
{
	uint64_t seconds = ns / SECOND_NS + 1;

	if (seconds < 90)
		snprintf(text, PROGRESS_LEFT_BYTES, ", about %u s left",
			 (unsigned int)seconds);
	else if (seconds < 90 * 60)
		snprintf(text, PROGRESS_LEFT_BYTES, ", about %u min left",
			 (unsigned int)((seconds + 30) / 60));
	else
		snprintf(text, PROGRESS_LEFT_BYTES, ", about %u h left",
			 (unsigned int)((seconds + 1800) / 3600));
}

void progress_left(char text[PROGRESS_LEFT_BYTES], const struct progress_work *w,
		   size_t done, size_t total, uint64_t now_ns)
{
	size_t others = w->targets > w->ended + 1 ? w->targets - w->ended - 1 : 0;
	uint64_t ns;

	text[0] = '\0';
	if (!done || !w->boots_ns || now_ns - w->boots_ns < SECOND_NS)
		return;
	ns = (uint64_t)((double)(now_ns - w->boots_ns) / (double)done *
			(double)(total > done ? total - done : 0));
	if (w->ended)
		ns += w->ended_ns / w->ended * others;
	left_text(text, ns);
	if (others && !w->ended)
		strcat(text, " here");
}

/* The time that all parts still take; 0: unknown. */
static uint64_t beside_left_ns(const struct progress_beside *b, uint64_t now_ns)
{
	uint64_t most = 0, sum = 0, whole = 0;
	size_t known = 0, unknown = 0;

	for (size_t i = 0; i < b->n; i++) {
		const struct progress_part *p = &b->parts[i];
		uint64_t passed = (p->end_ns ? p->end_ns : now_ns) - p->begin_ns;
		uint64_t left;

		if (p->end_ns && !passed) {
			continue; /* not measured */
		} else if (p->end_ns) {
			whole += passed;
			known++;
		} else if (!p->begin_ns || !p->done || now_ns - p->boots_ns < SECOND_NS) {
			unknown++;
		} else {
			left = (uint64_t)((double)(now_ns - p->boots_ns) /
					  (double)p->done *
					  (double)(p->total > p->done ? p->total - p->done
								      : 0));
			most = left > most ? left : most;
			sum += left;
			whole += passed + left;
			known++;
		}
	}
	if (!known)
		return 0;
	sum = (sum + whole / known * unknown) / b->at_once;
	return sum > most ? sum : most;
}

void progress_beside_text(const struct progress_beside *b, uint64_t now_ns, char *text,
			  size_t bytes)
{
	uint64_t left_ns = beside_left_ns(b, now_ns);
	char left[PROGRESS_LEFT_BYTES] = "";
	size_t used, running = 0;

	if (left_ns)
		left_text(left, left_ns);
	used = (size_t)snprintf(text, bytes, "[%zu/%zu done]%s", b->ended, b->targets,
				left);
	for (size_t i = 0; i < b->n && used < bytes; i++) {
		const struct progress_part *p = &b->parts[i];

		if (!p->begin_ns || p->end_ns)
			continue;
		used += (size_t)snprintf(text + used, bytes - used, "%s%s",
					 running++ ? ", " : ": ", p->name);
		if (p->total && used < bytes)
			used += (size_t)snprintf(text + used, bytes - used, " %zu %%",
						 100 * p->done / p->total);
	}
}

static void beside_show(struct progress_beside *b)
{
	char text[LINE_MAX_BYTES];

	progress_beside_text(b, progress_now_ns(), text, sizeof(text));
	progress_show(&b->line, "%s", text);
}

void progress_beside_begin(struct progress_beside *b, size_t part, const char *name)
{
	pthread_mutex_lock(&b->lock);
	b->parts[part] =
		(struct progress_part){ .name = name, .begin_ns = progress_now_ns() };
	beside_show(b);
	pthread_mutex_unlock(&b->lock);
}

void progress_beside_boots(struct progress_beside *b, size_t part, size_t done,
			   size_t total)
{
	struct progress_part *p = &b->parts[part];

	pthread_mutex_lock(&b->lock);
	if (!p->boots_ns)
		p->boots_ns = progress_now_ns();
	p->done = done;
	p->total = total;
	beside_show(b);
	pthread_mutex_unlock(&b->lock);
}

void progress_beside_end(struct progress_beside *b, size_t part, bool counts)
{
	struct progress_part *p = &b->parts[part];

	pthread_mutex_lock(&b->lock);
	p->end_ns = counts ? progress_now_ns() : p->begin_ns;
	b->ended += counts;
	if (b->ended > b->targets)
		b->targets = b->ended;
	progress_clear(&b->line);
	pthread_mutex_unlock(&b->lock);
}

void progress_beside_hold(struct progress_beside *b)
{
	pthread_mutex_lock(&b->lock);
	progress_clear(&b->line);
}

void progress_beside_release(struct progress_beside *b)
{
	pthread_mutex_unlock(&b->lock);
}
