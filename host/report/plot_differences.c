/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comparisons of two documents or two configs, and the cost of the virtual PMU. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/compare/compare.h"
#include "host/result/result.h"
#include "host/report/run_table.h"
#include "host/report/charts.h"
#include "host/report/plots.h"

#define PMU_OFF "pmu-off"
#define PMU_ON	"pmu-emulated"

/* The two sides of a comparison, and the names of the picture. */
struct versus {
	const struct result *base, *new;
	const char *config[2]; /* NULL: documents, each config with itself */
	const char *stem;      /* before the target's name */
	char *title, *subtitle;
};

/* The reason why there is no picture: no difference, or no comparable row. */
static void explain(const struct compare *c, struct plot_reason *why)
{
	for (size_t i = 0; i < c->n_rows; i++) {
		if (c->rows[i].verdict != COMPARE_NONE)
			continue;
		snprintf(why->text, sizeof(why->text), "%.60s: %.180s", c->rows[i].name,
			 c->rows[i].reason);
		return;
	}
	snprintf(why->text, sizeof(why->text), "nothing differs");
}

static bool draw(const struct plot_input *in, struct versus *v, struct picture_list *list,
		 struct plot_reason *why)
{
	struct compare_options options = {
		.config = { v->config[0], v->config[1] },
		.benches = in->benches,
		.n_benches = in->n_benches,
	};
	struct error err;
	struct compare c;
	bool any = false;

	if (compare_documents(v->base, v->new, &options, &c, &err)) {
		compare_drop_hint(err.text);
		snprintf(why->text, sizeof(why->text), "%.200s", err.text);
	} else {
		any = differences_count(&c);
		if (any) {
			struct differences d = { v->title, v->subtitle, &c,
						 !strcmp(v->stem, "tax") };
			struct picture *p = picture_add(list);

			picture_name(list, "%s-%s", v->stem, v->new->target.name);
			if (asprintf(&p->caption, "Differences: %s", v->title) < 0)
				abort();
			differences_draw(&d, p);
		} else {
			explain(&c, why);
		}
		compare_free(&c);
	}
	free(v->title);
	free(v->subtitle);
	return any;
}

static char *subtitle(const struct plot_input *in, const struct result *r)
{
	char *subject = plot_subject(in, r), *text;

	if (asprintf(&text, "%s. Round trips in %s: %s.", subject,
		     plot_unit_words(r->clock.unit),
		     plot_unit_caution(r->clock.unit)) < 0)
		abort();
	free(subject);
	return text;
}

static bool draw_configs(const struct plot_input *in, const struct result *r,
			 const char *stem, const char *base, const char *new,
			 struct picture_list *list, struct plot_reason *why)
{
	struct versus v = { r, r, { base, new }, stem, NULL, NULL };

	if (asprintf(&v.title,
		     strcmp(stem, "tax")
			     ? "%.60s against %.60s"
			     : "What the virtual PMU costs: %.60s against %.60s",
		     new, base) < 0)
		abort();
	v.subtitle = subtitle(in, r);
	return draw(in, &v, list, why);
}

#define TITLE_MOST 70 /* characters of a title that fit */

/* "Linux 6.12.113 to 6.12.115", if these names differ and fit. */
static bool names_kernels(const struct result *base, const struct result *new)
{
	const char *was = base->subject.kernel, *is = new->subject.kernel;

	return was && is && strcmp(was, is) != 0 && strlen(was) + strlen(is) < TITLE_MOST;
}

static char *documents_title(const struct result *base, const struct result *new)
{
	const char *was = base->subject.kernel, *is = new->subject.kernel;
	int ret;
	char *text;

	if (names_kernels(base, new))
		ret = asprintf(&text, "Linux %s to %s", was, is);
	else
		ret = asprintf(&text, "%.60s: base to new", new->target.name);
	if (ret < 0)
		abort();
	return text;
}

/* What the title does not name. */
static char *documents_subtitle(const struct plot_input *in, const struct result *base,
				const struct result *new)
{
	char *was = plot_subject(in, base), *is = plot_subject(in, new), *text;
	int ret;

	if (names_kernels(base, new) && !base->subject.label && !new->subject.label)
		ret = asprintf(&text, "%.60s%s%.60s. Round trips in %s: %s.",
			       new->target.name, new->target.hypervisor ? ", KVM " : "",
			       new->target.hypervisor ? new->target.hypervisor : "",
			       plot_unit_words(new->clock.unit),
			       plot_unit_caution(new->clock.unit));
	else
		ret = asprintf(&text, "From %s; to %s.", was, is);
	if (ret < 0)
		abort();
	free(was);
	free(is);
	return text;
}

static bool draw_documents(const struct plot_input *in, const struct result *base,
			   const struct result *new, struct picture_list *list,
			   struct plot_reason *why)
{
	struct versus v = { base, new, { NULL, NULL }, "compare", NULL, NULL };

	v.title = documents_title(base, new);
	v.subtitle = documents_subtitle(in, base, new);
	return draw(in, &v, list, why);
}

/* The first document of the same target is the base. */
static const struct result *base_of(const struct plot_input *in, size_t d)
{
	for (size_t k = 0; k < d; k++)
		if (!strcmp(in->docs[k]->target.name, in->docs[d]->target.name))
			return in->docs[k];
	return NULL;
}

/* All configs against the first; the virtual PMU has a picture of its own. */
static bool draw_all_configs(const struct plot_input *in, const struct result *r,
			     struct picture_list *list, struct plot_reason *why)
{
	struct configs c;
	bool any = false;

	if (in->config[0])
		return draw_configs(in, r, "compare", in->config[0], in->config[1], list,
				    why);
	configs_collect(&c, r, in->config);
	if (!in->asked && c.n > 1 && c.n_rows < PLOT_ROWS_LEAST) {
		snprintf(why->text, sizeof(why->text),
			 "fewer than %d benchmarks have two configs", PLOT_ROWS_LEAST);
		c.n = 0;
	}
	for (size_t i = 1; i < c.n; i++) {
		if (!strcmp(c.names[0], PMU_OFF) && !strcmp(c.names[i], PMU_ON))
			continue;
		if (draw_configs(in, r, "compare", c.names[0], c.names[i], list, why))
			any = true;
	}
	configs_free(&c);
	return any;
}

void plot_compare(const struct plot_input *in, struct picture_list *list,
		  struct plot_reason *why)
{
	bool any = false;

	snprintf(why->text, sizeof(why->text),
		 "there are not two documents of one target, nor two configs in one");
	for (size_t d = 0; d < in->n_docs; d++) {
		const struct result *base = in->config[0] ? NULL : base_of(in, d);

		any |= base ? draw_documents(in, base, in->docs[d], list, why)
			    : draw_all_configs(in, in->docs[d], list, why);
	}
	if (any)
		*why->text = '\0';
}

void plot_tax(const struct plot_input *in, struct picture_list *list,
	      struct plot_reason *why)
{
	static const char *const both[] = { PMU_OFF, PMU_ON };
	bool any = false;

	for (size_t d = 0; d < in->n_docs; d++) {
		struct configs c;

		configs_collect(&c, in->docs[d], both);
		/* One row is not enough to show the cost of the virtual PMU. */
		if (c.n == 2 && c.n_rows > 1 &&
		    draw_configs(in, in->docs[d], "tax", PMU_OFF, PMU_ON, list, why))
			any = true;
		configs_free(&c);
	}
	if (any)
		*why->text = '\0';
	else if (!*why->text)
		snprintf(why->text, sizeof(why->text),
			 "no document has benchmarks under both " PMU_OFF " and " PMU_ON);
}
