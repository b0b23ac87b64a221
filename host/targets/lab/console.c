/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of an emulator's output: its last lines, and the crash of the lab's kernel. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "host/lib/text.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/l1.h"

void lab_tail_add(struct lab_tail *t, const char *text, size_t bytes)
{
	if (bytes > LAB_TAIL_BYTES) {
		text += bytes - LAB_TAIL_BYTES;
		bytes = LAB_TAIL_BYTES;
	}
	if (t->bytes + bytes > LAB_TAIL_BYTES) {
		size_t drop = t->bytes + bytes - LAB_TAIL_BYTES;

		memmove(t->text, t->text + drop, t->bytes - drop);
		t->bytes -= drop;
	}
	memcpy(t->text + t->bytes, text, bytes);
	t->bytes += bytes;
}

static bool is_blank(const char *p, size_t n)
{
	for (; n; p++, n--)
		if (*p != ' ' && *p != '\t' && *p != '\r')
			return false;
	return true;
}

/* The last line before `*end`. Moves `*end` to the start of that line. */
static const char *line_before(const struct lab_tail *t, size_t *end, size_t *bytes)
{
	while (*end) {
		const size_t last = *end;
		size_t begin = last;

		while (begin && t->text[begin - 1] != '\n')
			begin--;
		*end = begin ? begin - 1 : 0;
		if (!is_blank(t->text + begin, last - begin)) {
			*bytes = last - begin;
			return t->text + begin;
		}
	}
	return NULL;
}

static const char *copy(const char *p, size_t bytes, char *line, size_t room)
{
	while (bytes && (p[bytes - 1] == '\r' || p[bytes - 1] == ' '))
		bytes--;
	if (bytes >= room)
		bytes = room - 1;
	memcpy(line, p, bytes);
	line[bytes] = '\0';
	for (char *nul; (nul = memchr(line, '\0', bytes));)
		*nul = ' ';
	text_clean(line, room);
	return line;
}

const char *lab_tail_line(const struct lab_tail *t, unsigned int back, char *line,
			  size_t room)
{
	size_t end = t->bytes, bytes;
	const char *p;

	do
		p = line_before(t, &end, &bytes);
	while (p && back--);
	return p ? copy(p, bytes, line, room) : NULL;
}

static bool has_mark(const char *p, size_t bytes)
{
	const size_t n = sizeof(LAB_L1_MARK) - 1;

	return bytes >= n && !memcmp(p, LAB_L1_MARK, n);
}

/* Whether a time of printk() begins here: "[    9.123456]". */
static bool is_time(const char *p, size_t bytes)
{
	size_t at = 1, digits;

	if (!bytes || *p != '[')
		return false;
	while (at < bytes && p[at] == ' ')
		at++;
	for (digits = 0; at < bytes && isdigit((unsigned char)p[at]); digits++)
		at++;
	if (!digits || at == bytes || p[at++] != '.')
		return false;
	for (digits = 0; at < bytes && isdigit((unsigned char)p[at]); digits++)
		at++;
	return digits == 6 && at < bytes && p[at] == ']';
}

/*
 * Where L0's text begins in a line with L1's mark: L0's kernel does not know that L1 is
 * in a line. At the begin of the text, the time is L1's. NULL: all is L1's.
 */
static const char *find_l0(const char *line, size_t bytes)
{
	for (size_t at = sizeof(LAB_L1_MARK); at < bytes; at++)
		if (is_time(line + at, bytes - at))
			return line + at;
	return NULL;
}

const char *lab_tail_find(const struct lab_tail *t, const char *word, bool *l1,
			  char *line, size_t room)
{
	size_t end = t->bytes, bytes;
	const char *p, *hit, *l0, *end_of_hit;

	while ((p = line_before(t, &end, &bytes))) {
		hit = memmem(p, bytes, word, strlen(word));
		if (!hit)
			continue;
		end_of_hit = p + bytes;
		l0 = has_mark(p, bytes) ? find_l0(p, bytes) : NULL;
		if (l1)
			*l1 = has_mark(p, bytes) && !(l0 && l0 < hit);
		if (l0 && hit < l0)
			end_of_hit = l0;
		return copy(hit, (size_t)(end_of_hit - hit), line, room);
	}
	return NULL;
}

/* Callers that a crash is quoted with. */
#define CALLERS 4

/* Lines from the one that says what happened to the one with the number, at most. */
#define REASON_LINES 25

/* The parts of an oops, as far as they have been read. */
struct oops {
	unsigned int line, reason_line;
	bool died;	  /* after the line with the number of the oops */
	bool traced;	  /* in the call trace */
	bool complete;	  /* behind it */
	char reason[128]; /* the line that says what happened */
	char place[96];
	char callers[CALLERS][96];
	unsigned int n_callers;
};

/* By the NMI watchdog: a CPU that does not take its timer's interrupts. */
#define HARD_LOCKUP "Watchdog detected hard LOCKUP "

/*
 * "[#1]", which no message but that of an oops has; or what the kernel's watchdogs say of
 * a task that does not return, or does not wake up.
 */
static bool is_death(const char *line)
{
	const char *p = strstr(line, "[#");

	return (p && isdigit((unsigned char)p[2]) && strchr(p + 2, ']')) ||
	       strstr(line, "BUG: soft lockup ") || strstr(line, HARD_LOCKUP) ||
	       (strstr(line, "INFO: task ") && strstr(line, " blocked for more than "));
}

/* Where the kernel says in words what happened, before the line with the number. */
static const char *find_reason(const char *line)
{
	static const char *const words[] = { "BUG: ", "kernel BUG at ",
					     "Unable to handle kernel ", "INFO: task ",
					     HARD_LOCKUP };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *p = strstr(line, words[i]);

		if (p)
			return p;
	}
	return NULL;
}

/* x86: "RIP: 0010:function+0x13/0x30"; arm64: "pc : function+0x13/0x30 [module]". */
static const char *find_place(const char *line)
{
	const char *p = strstr(line, "RIP: ");

	if (p && strchr(p + 5, ':'))
		return strchr(p + 5, ':') + 1;
	p = strstr(line, "pc : ");
	return p ? p + 5 : NULL;
}

/* How a task sleeps. */
static bool is_sleep(const char *p)
{
	static const char *const words[] = {
		"__switch_to",
		"__schedule",
		"schedule",
		"__mutex_lock",
		"mutex_lock",
		/* PREEMPT_RT, where spinlocks sleep, too. */
		"rt_mutex_",
		"__rt_mutex_",
		"rtlock_slowlock",
		"rt_spin_lock",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strncmp(p, words[i], strlen(words[i])))
			return true;
	return false;
}

/*
 * "function+0x13/0x30 [module]" of a call trace, unless it is a guess, "? function", or
 * where the oops was, with which arm64 begins, or the same caller again.
 */
static bool is_caller(const struct oops *o, const char *p)
{
	const char *offset = strstr(p, "+0x");
	const char *before = o->n_callers ? o->callers[o->n_callers - 1] : o->place;
	const size_t word = strcspn(p, " ");

	return *p != '?' && offset && word > (size_t)(offset - p) &&
	       strncmp(p, before, word) != 0 && !is_sleep(p);
}

static bool is_end(const char *line)
{
	return strstr(line, "</TASK>") || strstr(line, "---[ end trace");
}

static void read_oops_line(struct oops *o, const char *line)
{
	const bool death = is_death(line);
	const bool trace = strstr(line, "Call Trace:") || strstr(line, "Call trace:");
	const char *p = find_reason(line);

	o->line++;
	/* Of something else, after which the kernel went on: an oops has its number
	 * before the trace. */
	if (!o->died &&
	    (trace || is_end(line) || o->line - o->reason_line > REASON_LINES))
		*o->reason = '\0';
	/* The line with the number says it again, in a number. */
	if (!o->died && (death ? !*o->reason : p != NULL)) {
		snprintf(o->reason, sizeof(o->reason), "%s", p ? p : line);
		o->reason_line = o->line;
	}
	/* A second one: the kernel does not reach the end of the first. */
	o->complete = o->died && death;
	o->died |= death;
	if (!o->died || o->complete)
		return;
	p = find_place(line);
	/* Behind the call trace: of user space. */
	if (p && !*o->place && !o->traced)
		snprintf(o->place, sizeof(o->place), "%s", p);
	if (trace)
		o->traced = true;
	else if (is_end(line))
		o->complete = true;
	else if (o->traced && o->n_callers < CALLERS && is_caller(o, line))
		snprintf(o->callers[o->n_callers++], sizeof(o->callers[0]), "%s", line);
}

/* The text of a line behind the time, and behind the caller (CONFIG_PRINTK_CALLER). */
static const char *skip_time(const char *line)
{
	const char *end;

	while (*line == '[' && line[1] != '#' && (end = strchr(line, ']')))
		line = end + 1;
	return line + strspn(line, " \t");
}

static const char *crash_text(const struct oops *o, char *line, size_t room)
{
	size_t used;

	snprintf(line, room, "%s%s%s", o->reason, *o->place ? ", at " : "", o->place);
	for (unsigned int i = 0; i < o->n_callers; i++) {
		used = strlen(line);
		snprintf(line + used, room - used, "%s%s",
			 i	     ? ", "
			 : *o->place ? ", called from "
				     : ", in ",
			 o->callers[i]);
	}
	return line;
}

const char *lab_tail_crash(const struct lab_tail *t, bool ended, bool *l1, char *line,
			   size_t room)
{
	/* Of the lab's kernel, and of L1's: their lines can alternate. */
	struct oops of[2] = { { 0 } }, *o = &of[0], *first = NULL;
	const char *next = t->text, *const end = t->text + t->bytes;
	const char *text, *l0;
	char one[400];

	/* The first line may have lost its beginning. */
	if (t->bytes == LAB_TAIL_BYTES)
		next = memchr(next, '\n', t->bytes);
	for (const char *newline; next && !o->complete; next = newline + 1) {
		newline = memchr(next, '\n', (size_t)(end - next));
		/* The rest of the line comes with the next characters. */
		if (!newline)
			break;
		text = copy(next, (size_t)(newline - next), one, sizeof(one));
		o = &of[has_mark(text, strlen(text))];
		l0 = o == &of[1] ? find_l0(text, strlen(text)) : NULL;
		if (l0) /* here L1's line ends, as far as it has come */
			one[l0 - one] = '\0';
		if (o == &of[1])
			text += sizeof(LAB_L1_MARK) - 1;
		read_oops_line(o, skip_time(text));
		if (!first && o->died)
			first = o;
		if (!l0 || o->complete)
			continue;
		o = &of[0];
		one[l0 - one] = '[';
		read_oops_line(o, skip_time(l0));
		if (!first && o->died)
			first = o;
	}
	if (!o->complete)
		o = first;
	if (!o || !(o->complete || ended))
		return NULL;
	*l1 = o == &of[1];
	return crash_text(o, line, room);
}
