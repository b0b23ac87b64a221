/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts the instructions of an event by function and by stack. */
#include "host/explain/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SHIFT 6 /* 64 bytes: a cache line of the supported machines */

/*
 * Numbers by key. The trace decides how many functions, stacks and registers there are: a
 * search of the arrays would take the square of what a lab sends.
 */
struct map {
	uint64_t *keys;
	uint32_t *numbers; /* 0: a free place */
	size_t n, room;	   /* a power of two */
};

struct build {
	const struct trace *trace;
	const struct symbols *symbols;
	struct profile *p;
	uint32_t *functions; /* of each instruction; 0: not looked up */
	uint32_t *insns_of;  /* profile_insn of each instruction; NULL: not wanted */
	struct walk walk;
	uint64_t insns; /* since the event began */
	struct map function_of, node_of, register_of, insn_of, trap_of;
	uint32_t trap;			  /* the number of the last one; 0: none */
	uint32_t open[2][WALK_DEPTH_MAX]; /* calls that have not ended: guest, host */
	unsigned int depth[2];
	int err;
};

/* Appends a zeroed element; NULL with b->err. */
static void *grow(struct build *b, void *array, size_t n, size_t *room, size_t bytes)
{
	void *grown = array;

	if (n == *room) {
		*room = 2 * *room + 64;
		grown = realloc(array, *room * bytes);
		if (!grown) {
			b->err = -ENOMEM;
			return NULL;
		}
	}
	memset((char *)grown + n * bytes, 0, bytes);
	return grown;
}

static void map_free(struct map *m)
{
	free(m->keys);
	free(m->numbers);
}

static size_t place_of(const struct map *m, uint64_t key)
{
	size_t i = (key * 0x9e3779b97f4a7c15u) >> 32 & (m->room - 1);

	while (m->numbers[i] && m->keys[i] != key)
		i = (i + 1) & (m->room - 1);
	return i;
}

static int map_grow(struct map *m)
{
	struct map bigger = { .n = m->n, .room = m->room ? 2 * m->room : 256 };

	bigger.keys = calloc(bigger.room, sizeof(*bigger.keys));
	bigger.numbers = calloc(bigger.room, sizeof(*bigger.numbers));
	if (!bigger.keys || !bigger.numbers) {
		map_free(&bigger);
		return -ENOMEM;
	}
	for (size_t i = 0; i < m->room; i++) {
		size_t to = place_of(&bigger, m->keys[i]);

		if (!m->numbers[i])
			continue;
		bigger.keys[to] = m->keys[i];
		bigger.numbers[to] = m->numbers[i];
	}
	map_free(m);
	*m = bigger;
	return 0;
}

/* The number of a key; 0: none. */
static uint32_t map_find(const struct map *m, uint64_t key)
{
	return m->room ? m->numbers[place_of(m, key)] : 0;
}

/* Adds a key that map_find() has not found. */
static void map_add(struct build *b, struct map *m, uint64_t key, uint32_t number)
{
	size_t i;

	if (2 * m->n >= m->room && map_grow(m)) {
		b->err = -ENOMEM;
		return;
	}
	i = place_of(m, key);
	m->keys[i] = key;
	m->numbers[i] = number;
	m->n++;
}

static uint64_t pair_of(uint32_t high, uint32_t low)
{
	return (uint64_t)high << 32 | low;
}

/* The function that switches threads, on both architectures. */
static bool is_switcher(const char *name)
{
	return !strcmp(name, "__switch_to_asm") || !strcmp(name, "cpu_switch_to");
}

static uint32_t add_function(struct build *b, const struct symbol *symbol,
			     enum trace_space space)
{
	struct profile *p = b->p;
	void *grown = grow(b, p->functions, p->n_functions, &p->room_functions,
			   sizeof(*p->functions));

	if (!grown)
		return 0;
	p->functions = grown;
	p->functions[p->n_functions].symbol = symbol;
	p->functions[p->n_functions].space = space;
	if (symbol && is_switcher(symbol->name))
		b->walk.switcher = (uint32_t)p->n_functions;
	return (uint32_t)p->n_functions++;
}

static uint32_t look_up(struct build *b, const struct trace_insn *insn)
{
	const struct symbol *symbol = symbols_find(b->symbols, insn->space, insn->vaddr);
	uint64_t key = symbol ? (uint64_t)(symbol - b->symbols->list) + 1 : 0;
	uint32_t number;

	key = key * SPACES + insn->space;
	number = map_find(&b->function_of, key);
	if (!number) {
		number = add_function(b, symbol, insn->space);
		if (number)
			map_add(b, &b->function_of, key, number);
	}
	return number;
}

static uint32_t function_of(struct build *b, const struct trace_insn *insn)
{
	uint32_t *known = &b->functions[insn - b->trace->insns];

	if (!*known)
		*known = look_up(b, insn);
	return *known;
}

static uint32_t node_below(struct build *b, uint32_t parent, uint32_t function,
			   const struct trace_insn *site)
{
	struct profile *p = b->p;
	uint64_t key = pair_of(parent, function);
	uint32_t number = map_find(&b->node_of, key);
	void *grown;

	if (number)
		return number;
	grown = grow(b, p->nodes, p->n_nodes, &p->room_nodes, sizeof(*p->nodes));
	if (!grown)
		return 0;
	p->nodes = grown;
	p->nodes[p->n_nodes].parent = parent;
	p->nodes[p->n_nodes].function = function;
	p->nodes[p->n_nodes].site = site;
	/* Number 0 is not used. */
	if (p->n_nodes)
		map_add(b, &b->node_of, key, (uint32_t)p->n_nodes);
	return (uint32_t)p->n_nodes++;
}

static uint32_t begin_call(struct build *b, uint32_t function)
{
	struct profile *p = b->p;
	void *grown = grow(b, p->calls, p->n_calls, &p->room_calls, sizeof(*p->calls));

	if (!grown)
		return 0;
	p->calls = grown;
	p->calls[p->n_calls].function = function;
	p->calls[p->n_calls].begin = b->insns;
	return (uint32_t)p->n_calls++;
}

/* Ends the calls that are no longer in a stack, and notes those that are. */
static void follow_calls(struct build *b, const struct walk_stack *k)
{
	bool is_host = k == &b->walk.host;
	uint32_t *open = b->open[is_host];
	unsigned int same = 0, i;

	while (same < b->depth[is_host] && same < k->depth &&
	       open[same] == k->frames[same].call)
		same++;
	for (i = same; i < b->depth[is_host]; i++)
		b->p->calls[open[i]].end = b->insns;
	for (i = same; i < k->depth; i++)
		open[i] = k->frames[i].call;
	b->depth[is_host] = k->depth;
}

static uint32_t node_of(struct build *b, struct walk_stack *k)
{
	uint32_t parent = 0;
	unsigned int i;

	/* Only the top frames can be new or changed. */
	for (i = k->depth; i > 0 && !k->frames[i - 1].node; i--)
		;
	if (i)
		parent = k->frames[i - 1].node;
	for (; i < k->depth && !b->err; i++) {
		struct walk_frame *frame = &k->frames[i];

		parent = node_below(b, parent, frame->function, frame->site);
		if (!b->err) {
			b->p->nodes[parent].calls++;
			frame->node = parent;
			frame->call = begin_call(b, frame->function);
		}
	}
	if (!b->err)
		follow_calls(b, k);
	return parent;
}

static void count_register(struct build *b, uint32_t function, const struct decode *d)
{
	struct profile *p = b->p;
	uint64_t key = pair_of(function, d->reg);
	uint32_t number = map_find(&b->register_of, key);
	struct profile_register *r;
	void *grown;

	if (number) {
		r = &p->registers[number - 1];
	} else {
		grown = grow(b, p->registers, p->n_registers, &p->room_registers,
			     sizeof(*p->registers));
		if (!grown)
			return;
		p->registers = grown;
		r = &p->registers[p->n_registers++];
		r->function = function;
		r->reg = d->reg;
		map_add(b, &b->register_of, key, (uint32_t)p->n_registers);
	}
	if (d->kind == KIND_SYSREG_READ || d->kind == KIND_VMCS_READ)
		r->reads++;
	else
		r->writes++;
}

static void add_line(struct build *b, uint32_t function, uint64_t vaddr, bool code)
{
	struct profile *p = b->p;
	void *grown = grow(b, p->lines, p->n_lines, &p->room_lines, sizeof(*p->lines));

	if (!grown)
		return;
	p->lines = grown;
	p->lines[p->n_lines++] = (struct profile_line){
		.function = function,
		.line = vaddr >> LINE_SHIFT,
		.code = code,
	};
}

static bool is_taken(const struct trace_step *s)
{
	return s->leave == LEAVE_DONE && s->insn->decode.flow != FLOW_NEXT &&
	       s->next->vaddr != s->insn->vaddr + s->insn->bytes;
}

static void add_counts(struct profile_counts *c, const struct trace_step *s, bool loads,
		       bool stores)
{
	c->kinds[s->insn->decode.kind]++;
	c->branches_taken += is_taken(s);
	c->loads += loads;
	c->stores += stores;
}

/* The counts of an instruction in a stack; NULL: they are not wanted, or b->err. */
static struct profile_counts *insn_counts(struct build *b, uint32_t node,
					  const struct trace_insn *insn)
{
	struct profile *p = b->p;
	size_t index = (size_t)(insn - b->trace->insns);
	uint32_t *head = b->insns_of ? &b->insns_of[index] : NULL, number;
	void *grown;

	if (!head)
		return NULL;
	number = map_find(&b->insn_of, pair_of((uint32_t)index, node));
	if (number)
		return &p->insns[number].own;
	grown = grow(b, p->insns, p->n_insns, &p->room_insns, sizeof(*p->insns));
	if (!grown)
		return NULL;
	p->insns = grown;
	p->insns[p->n_insns].insn = insn;
	p->insns[p->n_insns].node = node;
	p->insns[p->n_insns].next = *head;
	*head = (uint32_t)p->n_insns;
	map_add(b, &b->insn_of, pair_of((uint32_t)index, node), *head);
	return &p->insns[p->n_insns++].own;
}

static void count_kinds(struct build *b, uint32_t function, uint32_t node,
			struct profile_counts *insn, const struct trace_step *s)
{
	const struct decode *d = &s->insn->decode;
	bool loads = false, stores = false;
	size_t at = s->first_access;
	struct trace_access a;

	if (d->kind == KIND_SYSREG_READ || d->kind == KIND_SYSREG_WRITE ||
	    d->kind == KIND_VMCS_READ || d->kind == KIND_VMCS_WRITE)
		count_register(b, function, d);
	add_line(b, function, s->insn->vaddr, true);
	while (trace_access(b->trace, s, &at, &a)) {
		loads |= !a.store;
		stores |= a.store;
		add_line(b, function, a.vaddr, false);
		if (a.vaddr >> LINE_SHIFT != (a.vaddr + a.bytes - 1) >> LINE_SHIFT)
			add_line(b, function, a.vaddr + a.bytes - 1, false);
	}
	add_counts(&b->p->functions[function].own, s, loads, stores);
	add_counts(&b->p->nodes[node].own, s, loads, stores);
	if (insn)
		add_counts(insn, s, loads, stores);
}

static int by_line(const void *a, const void *b)
{
	const struct profile_line *x = a, *y = b;

	if (x->code != y->code)
		return x->code - y->code;
	if (x->line != y->line)
		return (x->line > y->line) - (x->line < y->line);
	return (x->function > y->function) - (x->function < y->function);
}

/* Counts distinct lines per function and in total. */
static void count_lines(struct profile *p)
{
	size_t i;

	if (p->n_lines)
		qsort(p->lines, p->n_lines, sizeof(*p->lines), by_line);
	for (i = 0; i < p->n_lines; i++) {
		const struct profile_line *l = &p->lines[i], *before = l - 1;
		bool seen = i && before->code == l->code && before->line == l->line;
		struct profile_function *f = &p->functions[l->function];

		if (seen && before->function == l->function)
			continue;
		if (l->code)
			f->code_lines++;
		else
			f->data_lines++;
		if (seen)
			continue;
		if (l->code)
			p->code_lines++;
		else
			p->data_lines++;
	}
}

static void count_trap(struct build *b, const struct trace_step *s, uint32_t function)
{
	const bool in_l0 = s->insn->space == SPACE_L0;
	struct profile *p = b->p;
	/*
	 * Where the emulator counts, an interrupt that exits is an instruction more. The
	 * iterations of a repeated string instruction are steps of 1 each: Bochs leaves
	 * it after each one while it records (BX_ASYNC_EVENT_STOP_TRACE).
	 */
	const enum trace_leave leave = !b->trace->counts ? s->leave
				       : s->count > 1	 ? LEAVE_INTERRUPT
							 : LEAVE_FAULT;
	uint64_t key = pair_of((uint32_t)(s->insn - b->trace->insns), leave);
	void *grown;

	if (in_l0 && b->trap)
		p->traps[b->trap - 1].insns += s->count;
	if (in_l0 || !s->next || s->next->space != SPACE_L0)
		return;
	b->trap = map_find(&b->trap_of, key);
	if (!b->trap) {
		grown = grow(b, p->traps, p->n_traps, &p->room_traps, sizeof(*p->traps));
		if (!grown)
			return;
		p->traps = grown;
		p->traps[p->n_traps++] =
			(struct profile_trap){ s->insn, function, leave, 0, 0 };
		b->trap = (uint32_t)p->n_traps;
		map_add(b, &b->trap_of, key, b->trap);
	}
	p->traps[b->trap - 1].times++;
}

static void count(struct build *b, const struct trace_step *s, uint32_t function,
		  struct walk_stack *stack)
{
	struct profile *p = b->p;
	struct profile_counts *insn;
	uint32_t node = node_of(b, stack);

	if (b->err)
		return;
	insn = s->count ? insn_counts(b, node, s->insn) : NULL;
	if (b->err)
		return;
	if (!p->first) {
		p->first = function;
		p->first_node = node;
	}
	p->functions[function].own.insns += s->count;
	p->nodes[node].own.insns += s->count;
	if (insn)
		insn->insns += s->count;
	if (s->count)
		count_kinds(b, function, node, insn, s);
	b->insns += s->count;
	count_trap(b, s, function);
}

int profile_build(const struct trace *t, const struct symbols *symbols,
		  const struct region *region, bool insns, struct profile *p)
{
	struct build b = { .trace = t, .symbols = symbols, .p = p };
	struct trace_cursor c = { 0 };
	struct trace_step s;
	size_t n;

	memset(p, 0, sizeof(*p));
	b.functions = calloc(t->n_insns + 1, sizeof(*b.functions));
	if (!b.functions)
		return -ENOMEM;
	if (insns) {
		b.insns_of = calloc(t->n_insns + 1, sizeof(*b.insns_of));
		p->insns = calloc(1, sizeof(*p->insns));
		p->n_insns = p->room_insns = 1;
		if (!b.insns_of || !p->insns)
			b.err = -ENOMEM;
	}
	add_function(&b, NULL, SPACES);
	node_below(&b, 0, 0, NULL);
	begin_call(&b, 0);
	p->n_nodes = b.err ? 0 : 1;
	for (n = 0; !b.err && n < region->end && trace_next(t, &c, &s); n++) {
		struct walk_stack *stack;
		uint32_t function;

		if (n < region->recording)
			continue;
		function = function_of(&b, s.insn);
		stack = walk_enter(&b.walk, &s, function);
		if (n >= region->begin && !b.err)
			count(&b, &s, function, stack);
		walk_leave(&b.walk, &s);
	}
	free(b.functions);
	free(b.insns_of);
	map_free(&b.function_of);
	map_free(&b.node_of);
	map_free(&b.register_of);
	map_free(&b.insn_of);
	map_free(&b.trap_of);
	for (int host = 0; host < 2; host++)
		for (unsigned int i = 0; i < b.depth[host]; i++)
			p->calls[b.open[host][i]].end = b.insns;
	if (!b.err)
		count_lines(p);
	return b.err;
}

void profile_free(struct profile *p)
{
	free(p->functions);
	free(p->nodes);
	free(p->registers);
	free(p->lines);
	free(p->insns);
	free(p->calls);
	free(p->traps);
	memset(p, 0, sizeof(*p));
}
