/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The conversation with a running machine. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/lab/child.h"
#include "host/lab/fail.h"
#include "host/lab/session.h"
#include "host/lab/shared.h"
#include "host/lab/tail.h"
#include "host/lab/wire_reader.h"

/* How often the wire, which cannot be polled, and target_interrupted are looked at. */
#define LOOK_MS 20

struct session {
	const char *label;
	const char *emulator;
	const char *const *error_marks;
	const struct target_sink *sink;
	struct target_error *err;
	struct lab_child child;
	struct lab_shared wire;
	uint64_t taken; /* bytes of the wire */
	struct lab_reader reader;
	struct lab_tail console, messages;
	time_t last_frame_s;
	bool hello, header, lines, end;
	bool gave_up; /* END without a document: its console will say why */
	uint32_t benchmarks;
	uint32_t exit_code;
};

static time_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static int take_hello(struct session *s, const struct lab_frame *f)
{
	uint32_t version = f->size == LAB_HELLO_BYTES ? lab_get_le32(f->payload) : 0;

	if (version != LAB_WIRE_VERSION)
		return lab_fail(s->err, -EBADMSG,
				"%s: the wsbench inside speaks version %u of the wire, "
				"not %u: it is of another build",
				s->label, version, LAB_WIRE_VERSION);
	s->hello = true;
	return 0;
}

static int take_end(struct session *s, const struct lab_frame *f)
{
	uint32_t sent, code;

	if (f->size != LAB_END_BYTES)
		return lab_fail(s->err, -EBADMSG, "%s: broken END on the wire", s->label);
	sent = lab_get_le32(f->payload);
	code = lab_get_le32(f->payload + 4);
	if (sent != s->benchmarks || s->reader.skipped)
		return lab_fail(s->err, -EBADMSG,
				"%s: %u of %u benchmarks came over the wire, and %llu "
				"bytes of damage",
				s->label, s->benchmarks, sent,
				(unsigned long long)s->reader.skipped);
	s->end = s->header || s->lines;
	s->gave_up = !s->end;
	s->exit_code = code;
	return 0;
}

static int take_failure(struct session *s, const struct lab_frame *f)
{
	char text[400];

	snprintf(text, sizeof(text), "%s", (const char *)f->payload);
	lab_printable(text);
	return lab_fail(s->err, -EIO, "%s: %s", s->label, text);
}

static void take_progress(struct session *s, const struct lab_frame *f)
{
	char text[200];

	snprintf(text, sizeof(text), "%s", (const char *)f->payload);
	lab_printable(text);
	if (s->sink->progress)
		s->sink->progress(s->sink->ctx, text);
}

static int take_line(struct session *s, const struct lab_frame *f)
{
	char text[1024];

	if (!s->sink->line)
		return lab_fail(s->err, -EBADMSG, "%s: a LINE that nobody asked for",
				s->label);
	snprintf(text, sizeof(text), "%s", (const char *)f->payload);
	lab_printable(text);
	s->sink->line(s->sink->ctx, text);
	s->lines = true;
	return 0;
}

static int take_symbols(struct session *s, const struct lab_frame *f)
{
	if (!s->sink->symbols)
		return lab_fail(s->err, -EBADMSG, "%s: SYMBOLS that nobody asked for",
				s->label);
	return s->sink->symbols(s->sink->ctx, (const char *)f->payload, f->size);
}

static int take_document(struct session *s, const struct lab_frame *f)
{
	bool header = f->type == LAB_FRAME_HEADER;
	int ret;

	/* A later header replaces the first: some figures only the end knows. */
	if (!header && !s->header)
		return lab_fail(s->err, -EBADMSG,
				"%s: BENCHMARK before HEADER on the wire", s->label);
	ret = (header ? s->sink->header : s->sink->benchmark)(
		s->sink->ctx, (const char *)f->payload, f->size);
	if (ret && !*s->err->text)
		return lab_fail(s->err, ret, "%s: its %s could not be taken: %s",
				s->label, header ? "header" : "benchmark",
				strerror(-ret));
	if (ret)
		return ret;
	if (header)
		s->header = true;
	else
		s->benchmarks++;
	return 0;
}

static int take_frame(struct session *s, const struct lab_frame *f)
{
	if (f->type != LAB_FRAME_FAILURE && (f->type == LAB_FRAME_HELLO) == s->hello)
		return lab_fail(s->err, -EBADMSG, "%s: %s on the wire", s->label,
				s->hello ? "a second HELLO" : "a frame before HELLO");
	switch (f->type) {
	case LAB_FRAME_HELLO:
		return take_hello(s, f);
	case LAB_FRAME_HEADER:
	case LAB_FRAME_BENCHMARK:
		return take_document(s, f);
	case LAB_FRAME_PROGRESS:
		take_progress(s, f);
		return 0;
	case LAB_FRAME_LINE:
		return take_line(s, f);
	case LAB_FRAME_SYMBOLS:
		return take_symbols(s, f);
	case LAB_FRAME_END:
		return take_end(s, f);
	case LAB_FRAME_FAILURE:
		return take_failure(s, f);
	case LAB_FRAME_TYPES:
		break;
	}
	return -EBADMSG;
}

/* Takes what is on the wire; `last`: nothing will be added to it. */
static int take_wire(struct session *s, bool last)
{
	int64_t written = lab_shared_written(&s->wire);
	struct lab_frame frame;
	int ret = 0;

	if (written < (int64_t)s->taken)
		return lab_fail(s->err, -EBADMSG, "%s: broken count of bytes on the wire",
				s->label);
	if (lab_reader_push(&s->reader, lab_shared_data(&s->wire) + s->taken,
			    written - s->taken))
		return lab_fail(s->err, -ENOMEM, "%s: out of memory", s->label);
	s->taken = written;
	while (!ret && !s->end) {
		ret = lab_reader_next(&s->reader, last, &frame);
		if (!ret)
			return 0;
		if (ret < 0)
			return lab_fail(s->err, ret, "%s: out of memory", s->label);
		s->last_frame_s = now_s();
		ret = take_frame(s, &frame);
	}
	return ret;
}

/* Reads what is there into `tail`. 1 at the end of the stream, else 0. */
static int drain(int fd, struct lab_tail *tail)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n < 0)
		return errno != EAGAIN && errno != EINTR;
	lab_tail_add(tail, buf, n);
	return !n;
}

/* The last lines of the console, as many as there is room for, oldest first. */
static void add_console(struct session *s)
{
	char line[120], *text = s->err->text;

	for (int back = 2; back >= 0; back--) {
		size_t used = strlen(text);

		if (lab_tail_line(&s->console, back, line, sizeof(line)))
			snprintf(text + used, sizeof(s->err->text) - used,
				 "\n  console: %s", line);
	}
}

/*
 * The emulator's own error message, without its mark. Warnings are not why it died.
 */
static bool emulator_error(const struct session *s, char *line, size_t room)
{
	for (const char *const *mark = s->error_marks; mark && *mark; mark++) {
		size_t skip = strlen(*mark);

		if (!lab_tail_find(&s->messages, *mark, line, room) ||
		    !strncmp(line + skip, "warning: ", 9))
			continue;
		memmove(line, line + skip, strlen(line + skip) + 1);
		return true;
	}
	*line = '\0';
	return false;
}

/* The emulator has ended and the machine had not said END: why? */
static int explain_death(struct session *s)
{
	int status = lab_child_finish(&s->child);
	char line[200];
	bool told = emulator_error(s, line, sizeof(line));

	if (s->gave_up)
		lab_fail(s->err, -EIO, "%s: wsbench gave up inside with exit code %u",
			 s->label, s->exit_code);
	else if (WIFSIGNALED(status))
		lab_fail(s->err, -EIO, "%s: %s was killed by signal %d (%s)%s%s",
			 s->label, s->emulator, WTERMSIG(status),
			 strsignal(WTERMSIG(status)), told ? ": " : "", line);
	else if (lab_tail_find(&s->console, "Kernel panic - not syncing: ", line,
			       sizeof(line)))
		return lab_fail(s->err, -EIO, "%s: its kernel died: %s", s->label, line);
	else if (status && (told || lab_tail_line(&s->messages, 0, line, sizeof(line))))
		lab_fail(s->err, -EIO, "%s: %s failed: %s", s->label, s->emulator, line);
	else
		lab_fail(s->err, -EIO, "%s: the machine went off before %s", s->label,
			 s->hello ? "the job was done" : "its kernel had started /init");
	add_console(s);
	return -EIO;
}

static int explain_silence(struct session *s)
{
	lab_fail(s->err, -ETIMEDOUT, "%s: %s for %d s", s->label,
		 s->hello ? "no sign of life from the job"
			  : "its kernel has not started /init",
		 LAB_SILENCE_S);
	add_console(s);
	return -ETIMEDOUT;
}

static int converse(struct session *s)
{
	struct pollfd fds[] = {
		{ .fd = s->child.console, .events = POLLIN },
		{ .fd = s->child.messages, .events = POLLIN },
	};
	int ret = 0;

	while (!ret && !s->end) {
		bool dead = fds[0].fd < 0 && fds[1].fd < 0;

		if (target_interrupted)
			return lab_fail(s->err, -EINTR, "%s: interrupted", s->label);
		if (now_s() - s->last_frame_s > LAB_SILENCE_S)
			return explain_silence(s);
		if (!dead && poll(fds, 2, LOOK_MS) > 0) {
			/* poll() passes over descriptors that are -1. */
			if (fds[0].revents && drain(fds[0].fd, &s->console))
				fds[0].fd = -1;
			if (fds[1].revents && drain(fds[1].fd, &s->messages))
				fds[1].fd = -1;
		}
		ret = take_wire(s, dead);
		if (dead && !ret && !s->end)
			ret = explain_death(s);
	}
	return ret;
}

int lab_session_run(const char *label, const struct lab_command *cmd,
		    const struct target_sink *sink, struct target_error *err)
{
	const char *slash = strrchr(cmd->argv[0], '/');
	struct session *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return lab_fail(err, -ENOMEM, "%s: out of memory", label);
	s->label = label;
	s->emulator = slash ? slash + 1 : cmd->argv[0];
	s->error_marks = cmd->error_marks;
	s->sink = sink;
	s->err = err;
	s->last_frame_s = now_s();
	ret = lab_shared_create(&s->wire, cmd->wire);
	if (ret) {
		lab_fail(err, ret, "%s: cannot make the wire: %s", label, strerror(-ret));
		free(s);
		return ret;
	}
	if (sink->symbols)
		lab_shared_wish(&s->wire, LAB_WISH_SYMBOLS);
	ret = lab_child_start(&s->child, cmd, s->wire.fd, err);
	if (!ret)
		ret = converse(s);
	lab_child_stop(&s->child);
	lab_shared_free(&s->wire);
	lab_reader_free(&s->reader);
	free(s);
	return ret;
}
