/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a recorded run to an explanation of its figure. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/abi.h"
#include "bench/mark.h"
#include "host/lib/error.h"
#include "host/explain/explain.h"
#include "host/explain/profile.h"
#include "host/explain/trace.h"
#include "host/explain/touch.h"

/* A median may lie between two events; events further off do not explain the figure. */
#define NEAR 0.02

struct work {
	const struct explain_input *in;
	struct trace trace;
	struct symbols symbols;
	struct region_marks marks;
	struct regions regions;
	struct profile profile;
	struct explanation *e;
	struct error *err;
};

static int fail(struct work *w, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct work *w, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(w->err->text, sizeof(w->err->text), fmt, args);
	va_end(args);
	return code;
}

static int add_switches(struct capture *c, const struct image *image)
{
	struct image_mark *marks;
	long n = image_marks(image, &marks), i;
	int err = 0;

	if (n < 0)
		return (int)n;
	for (i = 0; i < n && !err; i++) {
		bool on = marks[i].kind == MARK_PHASE_BEGIN(ABI_PHASE_NULL);

		if (on || marks[i].kind == MARK_PHASE_END(ABI_PHASE_EVENT))
			err = capture_switch(c, image, marks[i].vaddr, on);
	}
	free(marks);
	return err;
}

int explain_switches(struct capture *c, const struct explain_input *in, struct error *err)
{
	int rc = in->payload.data ? add_switches(c, &in->payload) : 0;

	if (!rc)
		rc = add_switches(c, &in->vmm);
	if (!rc && !c->page->n_switches)
		rc = -ENOENT;
	if (rc)
		snprintf(err->text, sizeof(err->text), "cannot find the timed events: %s",
			 strerror(-rc));
	return rc;
}

/* The marks of both images together. */
static int read_marks(struct work *w)
{
	struct image_mark *payload, *vmm;
	long n = image_marks(&w->in->payload, &payload);
	long m = n < 0 ? n : image_marks(&w->in->vmm, &vmm);
	struct image_mark *all;

	if (n < 0)
		return (int)n;
	all = m < 0 ? NULL : realloc(payload, (size_t)(n + m + 1) * sizeof(*all));
	if (!all) {
		free(payload);
		if (m >= 0)
			free(vmm);
		return -ENOMEM;
	}
	memcpy(all + n, vmm, (size_t)m * sizeof(*all));
	free(vmm);
	w->marks.list = all;
	w->marks.n = (size_t)(n + m);
	return 0;
}

/*
 * VMX has the address in the VMCS, and KVM a label there: one in each kernel, at one
 * address. trace_below_x86() refuses more addresses than it has room for.
 */
static int separate_x86(struct work *w)
{
	const size_t prefix = strlen(SYMBOLS_L0_PREFIX);
	uint64_t exits[TRACE_BELOW_MAX + 1];
	size_t n = 0;

	for (size_t i = 0, k; i < w->symbols.n && n <= TRACE_BELOW_MAX; i++) {
		const struct symbol *s = &w->symbols.list[i];

		if (strcmp(s->name + (s->space == SPACE_L0 ? prefix : 0), "vmx_vmexit") !=
		    0)
			continue;
		for (k = 0; k < n && exits[k] != s->vaddr; k++)
			;
		exits[k] = s->vaddr;
		n += k == n;
	}
	return trace_below_x86(&w->trace, exits, n);
}

/* Where L0's kernel is, in a lab with L1. */
static int separate_levels(struct work *w)
{
	struct image_range l0 = symbols_range(&w->symbols, SPACE_L0);
	struct image_range l1 = symbols_range(&w->symbols, SPACE_KERNEL);
	int err;

	if (!w->in->l1)
		return 0;
	if (!l0.end || !l1.end)
		return fail(w, -EBADMSG, "the lab sent no functions of %s's kernel",
			    l0.end ? "L1" : "L0");
	if (w->in->arch == ARCH_X86_64)
		err = separate_x86(w);
	else if (l0.begin <= l1.end && l1.begin <= l0.end)
		return fail(w, -ENOTSUP,
			    "the kernels of L0 and L1 are at the same addresses");
	else
		err = trace_below(&w->trace, l0);
	if (err == -E2BIG)
		return fail(w, err,
			    "L0 enters or leaves its guest at more than %d places",
			    TRACE_BELOW_MAX);
	return err ? err : symbols_add_image(&w->symbols, &w->in->vmm, SPACE_L0);
}

static int read_symbols(struct work *w)
{
	int err = symbols_add_kernel(&w->symbols, w->in->kallsyms, w->in->kallsyms_bytes,
				     w->in->l1);

	if (err)
		return fail(w, err, "cannot parse the kernel's symbols: %s",
			    strerror(-err));
	err = separate_levels(w);
	if (!err)
		err = symbols_add_image(&w->symbols, &w->in->payload, SPACE_GUEST);
	if (!err)
		err = symbols_add_image(&w->symbols, &w->in->vmm, SPACE_USER);
	if (!err)
		err = symbols_add_hyp(&w->symbols, &w->trace);
	if (!err)
		err = symbols_add_thunks(&w->symbols, &w->trace);
	return err;
}

static void add_kinds(struct explanation_kinds *sum, const struct explanation_kinds *k)
{
	sum->sysreg_reads += k->sysreg_reads;
	sum->sysreg_writes += k->sysreg_writes;
	sum->barriers += k->barriers;
	sum->tlb_maintenance += k->tlb_maintenance;
	sum->cache_maintenance += k->cache_maintenance;
	sum->vm_insns += k->vm_insns;
	sum->loads += k->loads;
	sum->stores += k->stores;
	sum->branches_taken += k->branches_taken;
}

static void fill_registers(struct explanation *e, struct explanation_function *f,
			   const struct profile *p, uint32_t number, enum arch arch)
{
	char text[DECODE_REGISTER_BYTES];
	size_t i;

	for (i = 0; i < p->n_registers; i++) {
		const struct profile_register *from = &p->registers[i];
		struct explanation_register *to;

		if (from->function != number || !(from->reads + from->writes))
			continue;
		to = explanation_add_register(e, f);
		to->name = explanation_string(e, decode_register(arch, from->reg, text));
		to->reads = from->reads;
		to->writes = from->writes;
	}
}

static void fill_functions(struct explanation *e, const struct profile *p,
			   const struct explain_input *in)
{
	size_t i;

	if (in->kinds)
		memset(&e->kinds, 0, sizeof(e->kinds));
	for (i = 1; i < p->n_functions; i++) {
		const struct profile_function *from = &p->functions[i];
		const char *module = from->symbol ? from->symbol->module : NULL;
		struct explanation_function *to;

		if (!from->own.insns)
			continue;
		to = explanation_add_function(e);
		to->name = explanation_string(e, symbols_name(from->symbol, from->space));
		to->module = explanation_string(e, module);
		to->space = symbols_space_name(from->space);
		to->layer = layer_of(in->arch, from->space, module,
				     from->symbol ? from->symbol->name : NULL);
		to->insns = from->own.insns;
		if (!in->kinds)
			continue;
		explain_kinds(&to->kinds, &from->own);
		to->kinds.code_lines = (int64_t)from->code_lines;
		to->kinds.data_lines = (int64_t)from->data_lines;
		add_kinds(&e->kinds, &to->kinds);
		fill_registers(e, to, p, (uint32_t)i, in->arch);
	}
	if (!in->kinds)
		return;
	e->kinds.code_lines = (int64_t)p->code_lines;
	e->kinds.data_lines = (int64_t)p->data_lines;
}

static void fill_stacks(struct explanation *e, const struct profile *p,
			const struct explain_input *in)
{
	size_t i;

	for (i = 1; i < p->n_nodes; i++) {
		struct explanation_stack *to;
		size_t depth = 0;
		uint32_t node;

		if (!p->nodes[i].own.insns)
			continue;
		for (node = (uint32_t)i; node; node = p->nodes[node].parent)
			depth++;
		to = explanation_add_stack(e, depth);
		explanation_add_spaces(e, to);
		for (node = (uint32_t)i; node; node = p->nodes[node].parent) {
			const struct profile_function *f =
				&p->functions[p->nodes[node].function];
			const char *module = f->symbol ? f->symbol->module : NULL;

			to->frames[--depth] =
				explanation_string(e, symbols_name(f->symbol, f->space));
			to->spaces[depth] = symbols_space_name(f->space);
			to->modules[depth] = explanation_string(e, module ? module : "");
		}
		to->insns = p->nodes[i].own.insns;
		to->calls = p->nodes[i].calls;
		if (in->kinds)
			explain_kinds(&to->kinds, &p->nodes[i].own);
	}
}

/* "hvc", "eret", "write hcr_el2", "vmload", ... */
static const char *trap_by(struct explanation *e, const struct profile_trap *t,
			   enum arch arch)
{
	static const char *const calls[] = { "brk", "svc", "hvc", "smc" };
	const struct decode *d = &t->insn->decode;
	char reg[DECODE_REGISTER_BYTES], text[DECODE_REGISTER_BYTES + 8];

	if (t->leave == LEAVE_INTERRUPT)
		return "interrupt";
	if (d->flow == FLOW_TRAP && arch == ARCH_AARCH64)
		return calls[t->insn->code[0] & 3];
	if (d->flow == FLOW_ERET)
		return "eret";
	if (d->kind != KIND_SYSREG_READ && d->kind != KIND_SYSREG_WRITE)
		return d->named ? d->named : d->memory ? "load or store" : "other";
	snprintf(text, sizeof(text), "%s %s",
		 d->kind == KIND_SYSREG_READ ? "read" : "write",
		 decode_register(arch, d->reg, reg));
	return explanation_string(e, text);
}

static void fill_traps(struct explanation *e, const struct profile *p, enum arch arch)
{
	for (size_t i = 0; i < p->n_traps; i++) {
		const struct profile_function *f = &p->functions[p->traps[i].function];
		struct explanation_trap *to = explanation_add_trap(e);

		to->by = trap_by(e, &p->traps[i], arch);
		to->name = explanation_string(e, symbols_name(f->symbol, f->space));
		to->space = symbols_space_name(f->space);
		to->module = explanation_string(e, f->symbol ? f->symbol->module : NULL);
		to->times = p->traps[i].times;
		to->insns = p->traps[i].insns;
	}
}

static void fill_timeline(struct explanation *e, const struct profile *p)
{
	for (size_t i = 1; i < p->n_calls; i++) {
		const struct profile_call *from = &p->calls[i];
		const struct profile_function *f = &p->functions[from->function];
		struct explanation_call *to = explanation_add_call(e);

		to->name = explanation_string(e, symbols_name(f->symbol, f->space));
		to->space = symbols_space_name(f->space);
		to->module = explanation_string(e, f->symbol ? f->symbol->module : NULL);
		to->begin = from->begin;
		to->insns = from->end - from->begin;
	}
}

static int fill_document(struct work *w, uint64_t count, uint64_t clock_insns)
{
	const struct explain_input *in = w->in;
	const struct profile *p = &w->profile;
	struct explanation *e = w->e;
	int err = 0;

	e->unit = "insns";
	e->round_trip = in->round_trip;
	e->total = count;
	e->clock_insns = clock_insns;
	fill_functions(e, p, in);
	fill_stacks(e, p, in);
	fill_traps(e, p, in->arch);
	if (in->timeline)
		fill_timeline(e, p);
	if (in->debuginfo) {
		debuginfo_add_image(in->debuginfo, &in->payload, SPACE_GUEST);
		debuginfo_add_image(in->debuginfo, &in->vmm, SPACE_USER);
		err = lines_fill(e, p, &w->trace, &w->symbols, in->debuginfo, in->kinds,
				 w->err);
	}
	explanation_sort(e);
	return err;
}

static int by_count(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * The cost of reading the clock: the median of the empty events. `*empty` is an empty
 * event of this length, or NULL.
 */
static int clock_cost(const struct work *w, uint64_t *cost, const struct region **empty)
{
	uint64_t *counts = calloc(w->regions.n + 1, sizeof(*counts));
	size_t n = 0, i;

	if (!counts)
		return -ENOMEM;
	for (i = 0; i < w->regions.n; i++)
		if (w->regions.list[i].empty)
			counts[n++] = w->regions.list[i].count;
	qsort(counts, n, sizeof(*counts), by_count);
	*cost = n ? counts[n / 2] : 0;
	*empty = NULL;
	for (i = 0; i < w->regions.n; i++)
		if (w->regions.list[i].empty && w->regions.list[i].count == *cost)
			*empty = &w->regions.list[i];
	free(counts);
	return 0;
}

/* The number of events with the path of this event. */
static uint64_t alike(const struct work *w, const struct region *r)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < w->regions.n; i++)
		n += !w->regions.list[i].empty && w->regions.list[i].path == r->path &&
		     w->regions.list[i].count == r->count;
	return n;
}

/*
 * The event to explain: of the events nearest to the figure, one of the most common
 * path, and of these the first. Before the first event, no other thread has run since
 * the exit to user space between the phases: all callers are known.
 */
static const struct region *choose(struct work *w, uint64_t cost)
{
	double want = w->in->round_trip + (double)cost, nearest = INFINITY;
	const struct region *best = NULL;
	size_t i;

	for (i = 0; i < w->regions.n; i++) {
		const struct region *r = &w->regions.list[i];
		double off = fabs((double)r->count - want);
		uint64_t n;

		if (r->empty)
			continue;
		w->e->events++;
		if (off > nearest || (best && off == nearest && r->path == best->path))
			continue;
		n = alike(w, r);
		if (off == nearest && n <= w->e->events_alike)
			continue;
		nearest = off;
		w->e->events_alike = n;
		best = r;
	}
	return best;
}

/*
 * The payload's loop reads the clock in an event as in an empty event: the cost is
 * subtracted there. If host and guest share a clock, the reads differ, and the
 * remaining cost is reported beside the functions.
 */
static int take_off(struct work *w, const struct region *r, const struct region *empty,
		    bool *taken)
{
	struct profile p;
	int err;

	*taken = false;
	if (r->shared || !empty)
		return 0;
	err = profile_build(&w->trace, &w->symbols, empty, w->in->debuginfo, &p);
	if (!err)
		*taken = profile_subtract(&w->profile, &p);
	profile_free(&p);
	return err;
}

static int explain_event(struct work *w)
{
	const struct region *r, *empty;
	uint64_t cost = 0;
	int err = clock_cost(w, &cost, &empty);
	bool taken;
	double off;

	if (err)
		return err;
	r = choose(w, cost);
	if (!r)
		return fail(w, -ENODATA, "%s: no timed event was recorded",
			    w->in->benchmark);
	off = fabs((double)r->count - (double)cost - w->in->round_trip);
	if (r->count < cost || off > NEAR * w->in->round_trip + 1)
		return fail(
			w, -ENODATA,
			"%s: no event executed the %.0f instructions of the figure (the nearest executed %lld): the clock advances while the CPU is idle",
			w->in->benchmark, w->in->round_trip,
			(long long)(r->count - cost));
	if (off > 0)
		explanation_warn(w->e, "nearest-event",
				 "no event is as long as the figure, which is a median: "
				 "the nearest one is explained");
	err = profile_build(&w->trace, &w->symbols, r, w->in->debuginfo, &w->profile);
	if (!err)
		err = take_off(w, r, empty, &taken);
	if (!err)
		err = fill_document(w, r->count - cost, taken ? 0 : cost);
	if (!err && w->in->touch)
		err = touch_build(&w->trace, &w->regions, r, w->in->touch, w->e);
	return err;
}

static int work_through(struct work *w, const struct capture *c)
{
	const uint32_t *words;
	const char *why = "";
	size_t n;
	int err;

	words = capture_records(c, &n);
	if (!c->page->installed)
		return fail(w, -EIO, "the emulator did not record");
	if (!n)
		return fail(w, -ENODATA, "%s: no timed event was recorded",
			    w->in->benchmark);
	if (c->page->overflowed)
		return fail(
			w, -EOVERFLOW,
			"%s: more instructions than fit into %llu MiB: fewer events (--events) or no kinds of instructions",
			w->in->benchmark, (unsigned long long)c->bytes >> 20);
	err = trace_open(&w->trace, w->in->arch, image_range(&w->in->payload), words, n,
			 c->page->counts);
	if (!err)
		err = read_marks(w);
	if (!err)
		err = regions_find(&w->trace, &w->marks, w->in->benchmark, &w->regions,
				   &why);
	if (err == -ENOTSUP)
		return fail(w, err, "%s cannot be explained: %s", w->in->benchmark, why);
	if (!err)
		err = read_symbols(w);
	return err ? err : explain_event(w);
}

int explain_build(const struct capture *c, const struct explain_input *in,
		  struct explanation *e, struct error *err)
{
	struct work w = { .in = in, .e = e, .err = err };
	int rc;

	err->text[0] = '\0';
	rc = work_through(&w, c);
	if (rc && !err->text[0])
		fail(&w, rc, "cannot explain %s: %s", in->benchmark, strerror(-rc));
	profile_free(&w.profile);
	regions_free(&w.regions);
	free(w.marks.list);
	symbols_free(&w.symbols);
	trace_close(&w.trace);
	return rc;
}
