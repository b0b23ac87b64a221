/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's pictures. */
#include "host/lib/html.h"
#include "host/report/report.h"

bool report_pictures(FILE *f, const struct report *r)
{
	if (*r->failed.text) {
		html_tag(f, "p", "There are none: %s.", r->failed.text);
		return true;
	}
	for (size_t i = 0; i < r->pictures.n; i++) {
		fputs("<figure tabindex=0>", f);
		html_svg(f, r->svgs[i], r->pictures.pictures[i].caption, (unsigned int)i);
		fputs("</figure>\n", f);
	}
	return r->pictures.n;
}
