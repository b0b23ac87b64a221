/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the frames of a machine say, and which of them may come when. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/lib/text.h"
#include "host/targets/lab/session.h"
#include "host/targets/lab/wire.h"
#include "host/targets/target.h"

/* The payload of a frame that is one number. */
static int take_number(struct lab_frames *a, const struct lab_frame *f, uint32_t *number)
{
	if (f->size != LAB_NUMBER_BYTES)
		return error_set(a->err, -EBADMSG, "%s: broken frame %d on the wire",
				 a->label, (int)f->type);
	*number = lab_get_le32(f->payload);
	return 0;
}

static int take_hello(struct lab_frames *a, const struct lab_frame *f)
{
	uint32_t version = 0;
	int ret = take_number(a, f, &version);

	if (!ret && version != LAB_WIRE_VERSION)
		ret = error_set(
			a->err, -EBADMSG,
			"%s: the wsbench inside has version %u of the wire protocol, not %u (build both from one source)",
			a->label, version, LAB_WIRE_VERSION);
	a->hello = !ret;
	return ret;
}

static int take_end(struct lab_frames *a, const struct lab_frame *f)
{
	uint32_t code = 0;
	int ret = take_number(a, f, &code);

	a->end = !ret;
	return ret;
}

static int take_failure(struct lab_frames *a, const struct lab_frame *f)
{
	char text[400];

	snprintf(text, sizeof(text), "%s", (const char *)f->payload);
	text_clean(text, sizeof(text));
	return error_set(a->err, -EIO, "%s: %s", a->label, text);
}

/* One text for both kernels of a lab with L1: target.h. */
static int take_symbols(struct lab_frames *a, const struct lab_frame *f)
{
	const char *text = (const char *)f->payload;
	char *both;
	int n, ret;

	if (memchr(text, '\0', f->size))
		return -EBADMSG;
	if (f->type == LAB_FRAME_SYMBOLS_L0) {
		a->symbols_l0 = strndup(text, f->size);
		return a->symbols_l0 ? 0 : -ENOMEM;
	}
	a->symbols = true;
	if (!a->l1)
		return a->sink->symbols(a->sink->ctx, text, f->size);
	n = asprintf(&both, "%.*s" TARGET_SYMBOLS_OF_L0 "\n%s", (int)f->size, text,
		     a->symbols_l0);
	if (n < 0)
		return -ENOMEM;
	ret = a->sink->symbols(a->sink->ctx, both, (size_t)n);
	free(both);
	return ret;
}

/* Whether the functions of a kernel are due: in a lab with L1, those of L0 first. */
static bool is_due(const struct lab_frames *a, const struct lab_frame *f)
{
	if (f->type == LAB_FRAME_SYMBOLS)
		return !a->symbols && a->l1 == (a->symbols_l0 != NULL);
	return f->type == LAB_FRAME_SYMBOLS_L0 && a->l1 && !a->symbols_l0;
}

/* Of the job. */
static int take_result(struct lab_frames *a, const struct lab_frame *f)
{
	const struct lab_sink *sink = a->sink;
	char line[1024];
	int ret = 0;

	if (f->type == LAB_FRAME_HEADER && sink->header && !a->header) {
		a->header = true;
		ret = sink->header(sink->ctx, (const char *)f->payload, f->size);
	} else if (f->type == LAB_FRAME_REPORT && sink->report) {
		ret = sink->report(sink->ctx, f->payload, f->size);
	} else if (sink->symbols && is_due(a, f)) {
		ret = take_symbols(a, f);
	} else if (f->type == LAB_FRAME_LINE && sink->line) {
		snprintf(line, sizeof(line), "%s", (const char *)f->payload);
		text_clean(line, sizeof(line));
		sink->line(sink->ctx, line);
	} else {
		return error_set(a->err, -EBADMSG, "%s: unexpected frame %d on the wire",
				 a->label, (int)f->type);
	}
	if (ret && !*a->err->text)
		return error_set(a->err, ret, "%s: frame %d on the wire: %s", a->label,
				 (int)f->type, strerror(-ret));
	return ret;
}

int lab_frames_take(struct lab_frames *a, const struct lab_frame *f)
{
	if (f->type == LAB_FRAME_FAILURE)
		return take_failure(a, f);
	if ((f->type == LAB_FRAME_HELLO) == a->hello || !a->sink)
		return error_set(a->err, -EBADMSG, "%s: frame %d %s", a->label,
				 (int)f->type,
				 !a->sink   ? "before the machine has a job"
				 : a->hello ? "after HELLO"
					    : "before HELLO");
	if (f->type == LAB_FRAME_HELLO)
		return take_hello(a, f);
	if (f->type == LAB_FRAME_AGAIN)
		return error_set(a->err, -EAGAIN,
				 "%s: the clock of the machine moved while it stopped",
				 a->label);
	if (f->type == LAB_FRAME_END)
		return take_end(a, f);
	return take_result(a, f);
}
