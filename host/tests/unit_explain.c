/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of explanations: the document, and the text and pictures of it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/lib/table.h"
#include "host/explain/explanation.h"
#include "host/explain/explain_text.h"

static void add(struct explanation *e, const char *name, const char *space,
		const char *layer, uint64_t insns)
{
	struct explanation_function *f = explanation_add_function(e);

	f->name = name;
	f->space = space;
	f->layer = layer;
	f->insns = insns;
	e->total += insns;
}

static void add_stack(struct explanation *e, uint64_t insns, const char *const *frames,
		      size_t n)
{
	struct explanation_stack *s = explanation_add_stack(e, n);

	memcpy(s->frames, frames, n * sizeof(*frames));
	s->insns = insns;
}

#define STACK(e, insns, ...)                                                             \
	add_stack(e, insns, (const char *const[]){ __VA_ARGS__ },                        \
		  sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static struct explanation *example(void)
{
	struct explanation *e = explanation_new();

	e->run.id = e->run.started = "now";
	e->run.tool_version = "1";
	e->target.name = "lab:test";
	e->target.kind = "lab";
	e->machine.fingerprint = "0";
	e->machine.arch = "aarch64";
	e->benchmark = "hypercall";
	e->config = "default";
	e->unit = "insns";
	e->round_trip = 100;
	e->subject.kernel = "6.1";
	add(e, "leaf", "kernel", "KVM", 60);
	add(e, "run", "kernel", "KVM", 30);
	add(e, "guest<&>", "guest", "guest", 10);
	STACK(e, 40, "run", "mid", "leaf");
	STACK(e, 20, "run", "leaf");
	STACK(e, 30, "run");
	STACK(e, 10, "guest<&>");
	explanation_sort(e);
	return e;
}

/* The output of `print`, with runs of blanks replaced by one blank; caller frees. */
static char *printed(void (*print)(FILE *f, void *ctx), void *ctx)
{
	char *text = NULL, *to;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	print(f, ctx);
	fclose(f);
	to = text;
	for (const char *from = text; *from; from++)
		if (*from != ' ' || from[1] != ' ')
			*to++ = *from;
	*to = '\0';
	return text;
}

static void expect_has(const char *text, const char *part)
{
	cr_expect(strstr(text, part), "\"%s\" is not in:\n%s", part, text);
}

Test(explanation, reads_back_equal)
{
	struct explanation *e = example(), *back;
	struct explanation_register *reg;
	struct error err;
	char *text, *again;

	e->functions[0].kinds.barriers = 3;
	for (size_t i = 0; i < e->n_functions; i++)
		if (!strcmp(e->functions[i].space, "kernel"))
			e->functions[i].layer = "kernel, other";
	reg = explanation_add_register(e, &e->functions[0]);
	reg->name = "hcr_el2";
	reg->writes = 2;
	text = explanation_dump(e);
	cr_assert_eq(explanation_parse(text, strlen(text), &back, &err), 0, "%s",
		     err.text);
	again = explanation_dump(back);
	cr_expect_str_eq(text, again);
	cr_expect_str_eq(back->functions[0].name, e->functions[0].name);
	cr_expect_eq(back->functions[0].kinds.barriers, 3);
	cr_expect_eq(back->functions[0].kinds.loads, -1);
	free(text);
	free(again);
	explanation_free(e);
	explanation_free(back);
}

/* Of a table that was another one when the document was written. */
Test(explanation, a_document_is_read_with_the_layers_of_today)
{
	struct explanation *e = example(), *back;
	struct error err;
	char *text;

	for (size_t i = 0; i < e->n_functions; i++)
		e->functions[i].layer = "of yesterday";
	add(e, "__kvm_nvhe___guest_enter", "hyp", "of yesterday", 1);
	text = explanation_dump(e);
	cr_assert_eq(explanation_parse(text, strlen(text), &back, &err), 0, "%s",
		     err.text);
	for (size_t i = 0; i < back->n_functions; i++) {
		const struct explanation_function *f = &back->functions[i];

		cr_expect_str_eq(f->layer,
				 !strcmp(f->space, "kernel") ? "kernel, other"
				 : !strcmp(f->space, "hyp")  ? "world-switch assembly"
							     : "of yesterday",
				 "%s", f->name);
	}
	free(text);
	explanation_free(e);
	explanation_free(back);
}

Test(explanation, frames_have_a_space_and_a_module_if_each_has)
{
	struct explanation *e = example(), *back;
	struct explanation_frame frame;
	struct error err;
	char *text;

	explanation_add_spaces(e, &e->stacks[3]);
	for (size_t i = 0; i < 3; i++) {
		e->stacks[3].spaces[i] = i ? "kernel" : "user";
		e->stacks[3].modules[i] = i == 2 ? "kvm" : "";
	}
	explanation_add_spaces(e, &e->stacks[2]);
	e->stacks[2].n_spaces = e->stacks[2].n_modules = 1;
	e->stacks[2].spaces[0] = e->stacks[2].modules[0] = "kernel";
	text = explanation_dump(e);
	cr_assert_eq(explanation_parse(text, strlen(text), &back, &err), 0, "%s",
		     err.text);
	frame = explanation_frame(&back->stacks[3], 0);
	cr_expect(!strcmp(frame.space, "user") && !*frame.module);
	frame = explanation_frame(&back->stacks[3], 2);
	cr_expect(!strcmp(frame.space, "kernel") && !strcmp(frame.module, "kvm"));
	cr_expect_null(explanation_frame(&back->stacks[2], 0).space);
	cr_expect_null(explanation_frame(&back->stacks[1], 0).space);
	free(text);
	explanation_free(e);
	explanation_free(back);
}

Test(explanation, is_not_a_result)
{
	struct explanation *e = example(), *none;
	char *text = explanation_dump(e);
	struct error err;
	struct result *r;

	cr_expect_eq(result_parse(text, strlen(text), &r, &err), -EINVAL);
	expect_has(err.text, "/schema");
	cr_expect_eq(explanation_parse("{}", 2, &none, &err), -EINVAL);
	cr_expect_null(none);
	free(text);
	explanation_free(e);
}

static void print_folded(FILE *f, void *ctx)
{
	explain_print_folded(f, ctx);
}

Test(view, folded_stacks_sum_up)
{
	struct explanation *e = example();
	char *text = printed(print_folded, e);

	cr_expect_str_eq(text, "guest<&> 10\nrun 30\nrun;leaf 20\nrun;mid;leaf 40\n");
	free(text);
	explanation_free(e);
}

Test(view, tree_has_totals)
{
	struct explanation *e = example();
	struct explain_node *nodes;
	size_t n = explain_tree(e, false, &nodes), run;

	cr_assert_eq(n, 6);
	cr_expect_eq(nodes[0].total, 100);
	run = nodes[0].child;
	cr_expect_str_eq(nodes[run].name, "run");
	cr_expect(nodes[run].total == 90 && nodes[run].self == 30);
	cr_expect_str_eq(nodes[nodes[run].child].name, "mid");
	cr_expect(nodes[nodes[run].child].total == 40 && !nodes[nodes[run].child].self);
	cr_expect_str_eq(nodes[nodes[nodes[run].child].next].name, "leaf");
	free(nodes);
	explanation_free(e);
}

static void place(struct explanation *e, size_t stack, const char *const *spaces)
{
	struct explanation_stack *s = &e->stacks[stack];

	explanation_add_spaces(e, s);
	for (size_t i = 0; i < s->n_frames; i++) {
		/* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) */
		s->spaces[i] = spaces[i];
		s->modules[i] = "";
	}
}

/* The VMM's run calls the kernel's, which has the same name, and more instructions. */
Test(view, tree_has_the_layers_of_functions_of_one_name)
{
	struct explanation *e = explanation_new();
	struct explain_node *nodes;
	size_t root, other;

	add(e, "run", "kernel", "KVM", 35);
	add(e, "run", "user", "VMM", 7);
	STACK(e, 30, "run");
	STACK(e, 7, "run");
	STACK(e, 5, "run", "run");
	place(e, 0, (const char *const[]){ "kernel" });
	place(e, 1, (const char *const[]){ "user" });
	place(e, 2, (const char *const[]){ "user", "kernel" });
	cr_assert_eq(explain_tree(e, false, &nodes), 4);
	root = nodes[0].child;
	other = nodes[root].next;
	cr_expect_str_eq(nodes[root].layer, "KVM");
	cr_expect_eq(nodes[root].total, 30);
	cr_expect_str_eq(nodes[other].layer, "VMM");
	cr_expect(nodes[other].total == 12 && nodes[other].self == 7);
	cr_expect_str_eq(nodes[nodes[other].child].layer, "KVM");
	free(nodes);
	explanation_free(e);
}

static void print_table(FILE *f, void *ctx)
{
	const struct table_options o = { .columns = 100 };

	explain_print_functions(f, ctx, &o, SIZE_MAX);
}

Test(view, table_ends_with_the_total)
{
	struct explanation *e = example();
	char *text = printed(print_table, e);

	expect_has(text, "hypercall on lab:test: 100 instructions");
	expect_has(text, "leaf 60 60.0 % 60.0 %");
	expect_has(text, "100.0 % guest\n");
	free(text);
	/* The cost of the clock, if not part of a function, has its own line. */
	e->clock_insns = 4;
	e->total -= 4;
	text = printed(print_table, e);
	expect_has(text, "clock -4 -4.2 % 100.0 %\n");
	free(text);
	explanation_free(e);
}

struct both {
	struct explanation *base, *now;
};

static void print_diff(FILE *f, void *ctx)
{
	const struct table_options o = { .columns = 100 };
	const struct both *b = ctx;

	explain_print_diff(f, b->base, b->now, &o, SIZE_MAX);
}

Test(view, diff_names_new_and_removed_functions)
{
	struct both b = { example(), example() };
	char *text;

	/* One function is split by the compiler, another one removed. */
	b.now->functions[0].name = "leaf.part.0";
	b.now->functions[0].insns = 65;
	b.now->functions[1].name = "walk";
	b.now->total += 5;
	text = printed(print_diff, &b);
	expect_has(text, "leaf.part.0 60 65 +5"
			 " was leaf\n");
	expect_has(text, "walk - 30 +30"
			 " new\n");
	expect_has(text, "run 30 - -30"
			 " gone\n");
	expect_has(text, "1 more, unchanged 10 10 0");
	expect_has(text, "total 100 105 +5");
	free(text);
	explanation_free(b.base);
	explanation_free(b.now);
}

Test(view, diff_with_itself_is_empty)
{
	struct explanation *e = example();
	struct both b = { e, e };
	char *text = printed(print_diff, &b);

	expect_has(text, "3 more, unchanged 100 100 0");
	cr_expect_null(strstr(text, "new"));
	cr_expect_null(strstr(text, "gone"));
	free(text);
	explanation_free(e);
}

static void print_flame(FILE *f, void *ctx)
{
	flame_draw(f, ctx, NULL);
}

/* The width of a box is its total, and text of a document is escaped. */
Test(view, flame_boxes_are_in_scale)
{
	struct explanation *e = example();
	char *text = printed(print_flame, e);

	expect_has(text, "width=\"1079.70\"");
	expect_has(text, "width=\"479.70\"");
	expect_has(text, "guest&lt;&amp;&gt;: 10 instructions, 10.0 %");
	cr_expect_null(strstr(text, "guest<&"));
	cr_expect_str_eq(text + strlen(text) - 7, "</svg>\n");
	free(text);
	explanation_free(e);
}

static void print_flame_diff(FILE *f, void *ctx)
{
	const struct both *b = ctx;

	flame_draw(f, b->now, b->base);
}

/* The colour of a box follows its title. */
static void expect_fill(const char *text, const char *title, const char *fill)
{
	const char *box = strstr(text, title), *found;
	char want[32];

	cr_assert_not_null(box, "\"%s\" is not in:\n%s", title, text);
	found = strstr(box, "fill=");
	snprintf(want, sizeof(want), "fill=\"%s\"", fill);
	cr_expect(!strncmp(found, want, strlen(want)), "%s: %.16s", title, found);
}

Test(view, flame_graph_of_a_comparison_shows_the_changes)
{
	struct both b = { example(), example() };
	char *text;

	/* Frames: guest, run, run;leaf, run;mid;leaf. */
	b.now->stacks[1].insns = 35;
	b.now->stacks[2].insns = 15;
	b.now->stacks[2].frames[1] = "leaf.part.0";
	b.now->stacks[3].frames[1] = "walk";
	text = printed(print_flame_diff, &b);
	expect_fill(text,
		    "guest&lt;&amp;&gt;: 10 instructions, 10.0 %; 10 of its own; "
		    "10 of its own in the base; guest",
		    "#e4e4e4");
	expect_fill(text,
		    "<title>run +5: 90 instructions, 90.0 %; 35 of its own; 30 of its "
		    "own in the base; KVM",
		    "#ffb4b4");
	expect_fill(text,
		    "<title>leaf.part.0 -5: 15 instructions, 15.0 %; 15 of its own; 20 "
		    "of its own in the base",
		    "#b4b4ff");
	/* A function with another caller. */
	expect_fill(text,
		    "<title>leaf +40: 40 instructions, 40.0 %; 40 of its own; not in the "
		    "base; KVM",
		    "#ff5f5f");
	/* The call that is gone has a box. */
	expect_fill(text, "<title>leaf -40: gone; 40 of its own in the base; KVM",
		    "#5f5fff");
	expect_has(text, "base: hypercall [default] on lab:test, Linux 6.1: 100 "
			 "instructions");
	expect_has(text, ">+ more than in the base</text>");
	cr_expect_null(strstr(text, ">KVM: "), "the layers' legend");
	expect_has(text, ">run +5</text>");
	free(text);
	text = printed(print_flame, b.now);
	cr_expect_null(strstr(text, "in the base"));
	expect_has(text, ">KVM: ");
	free(text);
	explanation_free(b.base);
	explanation_free(b.now);
}

/* A box of `width` of 1000 instructions that is 20 larger than in the base. */
static void expect_label(uint64_t width, const char *label)
{
	struct both b = { example(), example() };
	char *text, want[64];

	for (size_t i = 0; i < 4; i++)
		b.base->stacks[i].insns = b.now->stacks[i].insns = 0;
	b.now->stacks[0].frames[0] = b.base->stacks[0].frames[0] = "memset";
	b.now->stacks[0].insns = width;
	b.base->stacks[0].insns = width - 20;
	b.now->stacks[1].insns = b.base->stacks[1].insns = 1000 - width;
	text = printed(print_flame_diff, &b);
	expect_has(text, "<title>memset +20: ");
	snprintf(want, sizeof(want), ">%s</text></g>", label);
	expect_has(text, want);
	free(text);
	explanation_free(b.base);
	explanation_free(b.now);
}

/* The name comes first, and the change only where it fits whole. */
Test(view, flame_labels_are_names_before_figures)
{
	expect_label(70, "memset +20");
	expect_label(50, "memset");
	expect_label(33, "mem..");
	expect_label(25, "+");
}

Test(view, flame_graph_of_a_file_has_a_margin_and_dark_colours)
{
	char path[] = "/tmp/unit_explain.XXXXXX", text[2048] = "";
	struct explanation *e = example();
	char *embedded = printed(print_flame, e);
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(flame_write(path, e, NULL), 0);
	close(fd);
	fd = open(path, O_RDONLY);
	cr_assert_gt(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	unlink(path);
	expect_has(text, "viewBox=\"-16 -16 1232 ");
	expect_has(text, "@media screen and (prefers-color-scheme:dark)");
	/* In a page, a style would be the page's. */
	cr_expect_null(strstr(embedded, "<style"));
	expect_has(embedded, "viewBox=\"0 0 1200 ");
	free(embedded);
	explanation_free(e);
}

static void print_kinds_diff(FILE *f, void *ctx)
{
	const struct table_options o = { .columns = 100 };
	const struct both *b = ctx;

	explain_print_kinds_diff(f, b->base, b->now, &o);
}

Test(view, kinds_of_two_explanations_are_compared)
{
	struct both b = { example(), example() };
	char *text;

	b.base->kinds = (struct explanation_kinds){ .sysreg_reads = 60, .loads = 7 };
	b.now->kinds = (struct explanation_kinds){ .sysreg_reads = 64, .loads = 5 };
	text = printed(print_kinds_diff, &b);
	expect_has(text, "system registers read 60 64 +4\n");
	expect_has(text, "loads 7 5 -2\n");
	expect_has(text, "stores 0 0 +0\n");
	free(text);
	explanation_free(b.base);
	explanation_free(b.now);
}

Test(view, layers_are_summed_up)
{
	struct explanation *e = example();
	struct explain_layer *layers;

	cr_assert_eq(explain_layers(e, &layers), 2);
	cr_expect_str_eq(layers[0].name, "KVM");
	cr_expect_eq(layers[0].insns, 90);
	free(layers);
	explanation_free(e);
}
