/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions by address, and the layers that they belong to. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/explain/symbols.h"
#include "host/targets/target.h"

/* The prefix of the kernel's EL2 functions. */
#define HYP_PREFIX "__kvm_nvhe_"

/* The largest distance of an address from the start of the last function of a text. */
#define LAST_BYTES (1u << 20)

/*
 * The last function of a module ends in its page or in the next one: a module has pages
 * of its own. Between two modules is code without symbols, such as thunks of Linux.
 */
#define MODULE_PAGE_BYTES 4096u

struct symbol_text {
	struct symbol_text *next;
	char text[];
};

/* A NUL-terminated copy that `s` owns. */
static char *keep(struct symbols *s, const char *text, size_t bytes)
{
	struct symbol_text *t = malloc(sizeof(*t) + bytes + 1);

	if (!t)
		return NULL;
	memcpy(t->text, text, bytes);
	t->text[bytes] = '\0';
	t->next = s->texts;
	s->texts = t;
	return t->text;
}

static int add(struct symbols *s, const struct symbol *symbol)
{
	if (s->n == s->room) {
		size_t room = 2 * s->room + 4096;
		struct symbol *grown = realloc(s->list, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->list = grown;
		s->room = room;
	}
	s->list[s->n++] = *symbol;
	return 0;
}

/* "ADDRESS TYPE NAME", optionally followed by "\t[MODULE]"; `line` is NUL-terminated. */
static int add_line(struct symbols *s, enum trace_space space, char *line)
{
	static const char prefix[] = SYMBOLS_L0_PREFIX;
	struct symbol symbol = { .space = space };
	char *end, *module;

	symbol.vaddr = strtoull(line, &end, 16);
	if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ' || !end[3])
		return -EBADMSG;
	symbol.global = end[1] == 'T' || end[1] == 'W';
	/* " T " has the length of the prefix. */
	if (space == SPACE_L0)
		symbol.name = memcpy(end, prefix, strlen(prefix));
	else
		symbol.name = end + 3;
	module = strchr(end + 3, '\t');
	if (module && module[1] == '[') {
		*module = '\0';
		symbol.module = module + 2;
		module[1 + strcspn(module + 1, "]")] = '\0';
	}
	return add(s, &symbol);
}

int symbols_add_kernel(struct symbols *s, const char *kallsyms, size_t bytes, bool l1)
{
	char *text = keep(s, kallsyms, bytes), *line, *save;
	enum trace_space space = SPACE_KERNEL;
	int err = 0;

	if (!text)
		return -ENOMEM;
	if (strlen(text) != bytes)
		return -EBADMSG;
	for (line = strtok_r(text, "\n", &save); line && !err;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strcmp(line, TARGET_SYMBOLS_OF_L0) != 0)
			err = add_line(s, space, line);
		else if (l1 && space != SPACE_L0)
			space = SPACE_L0;
		else
			err = -EBADMSG;
	}
	return !err && l1 != (space == SPACE_L0) ? -EBADMSG : err;
}

struct image_range symbols_range(const struct symbols *s, enum trace_space space)
{
	struct image_range r = { ~0ull, 0 };

	for (size_t i = 0; i < s->n; i++) {
		const uint64_t vaddr = s->list[i].vaddr;
		const uint64_t end =
			vaddr > UINT64_MAX - LAST_BYTES ? UINT64_MAX : vaddr + LAST_BYTES;

		/* Not the numbers that the linker defines, nor a VMM. */
		if (s->list[i].space != space || !(vaddr >> 63))
			continue;
		r.begin = vaddr < r.begin ? vaddr : r.begin;
		r.end = end > r.end ? end : r.end;
	}
	return r;
}

/* The module of functions of L0's VMM. */
#define VMM_OF_L0 "wsbench"

/* A name with the prefix. */
static char *keep_l0(struct symbols *s, const char *name)
{
	char *text, *kept;

	if (asprintf(&text, SYMBOLS_L0_PREFIX "%s", name) < 0)
		return NULL;
	kept = keep(s, text, strlen(text));
	free(text);
	return kept;
}

struct adding {
	struct symbols *symbols;
	enum trace_space space;
};

static int add_function(void *ctx, uint64_t vaddr, uint64_t bytes, const char *name,
			size_t name_bytes)
{
	struct adding *a = ctx;
	struct symbol symbol = {
		.vaddr = vaddr,
		.bytes = bytes,
		.space = a->space,
		.global = true,
	};

	/*
	 * "$x" and "$d" mark code and data on arm64; ".L" labels are local to the
	 * assembler.
	 */
	if (name[0] == '$' || name[0] == '.')
		return 0;
	symbol.name = keep(a->symbols, name, name_bytes);
	if (symbol.name && a->space == SPACE_L0) {
		symbol.module = VMM_OF_L0;
		symbol.name = keep_l0(a->symbols, symbol.name);
	}
	return symbol.name ? add(a->symbols, &symbol) : -ENOMEM;
}

int symbols_add_image(struct symbols *s, const struct image *image,
		      enum trace_space space)
{
	struct adding a = { s, space };

	return image_functions(image, add_function, &a);
}

void symbols_free(struct symbols *s)
{
	struct symbol_text *next;

	for (; s->texts; s->texts = next) {
		next = s->texts->next;
		free(s->texts);
	}
	free(s->list);
	memset(s, 0, sizeof(*s));
}

static bool is_hyp(const struct symbol *s)
{
	return s->space == SPACE_KERNEL &&
	       !strncmp(s->name, HYP_PREFIX, strlen(HYP_PREFIX));
}

#define CALLS_MAX 64

/* The targets of calls at EL2, without duplicates. */
static size_t find_calls(const struct trace *t, uint64_t calls[CALLS_MAX])
{
	struct trace_cursor c = { 0 };
	struct trace_step step;
	size_t n = 0, i;

	while (n < CALLS_MAX && trace_next(t, &c, &step)) {
		if (!step.next || step.insn->decode.flow != FLOW_CALL ||
		    step.insn->space != SPACE_HYP || step.next->space != SPACE_HYP)
			continue;
		for (i = 0; i < n && calls[i] != step.next->vaddr; i++)
			;
		if (i == n)
			calls[n++] = step.next->vaddr;
	}
	return n;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The addresses of the EL2 functions, ascending and each once; NULL: out of memory. */
static uint64_t *find_hyp(const struct symbols *s, size_t *n)
{
	uint64_t *vaddrs = malloc((s->n + 1) * sizeof(*vaddrs));
	size_t all = 0;

	*n = 0;
	for (size_t i = 0; vaddrs && i < s->n; i++)
		if (is_hyp(&s->list[i]))
			vaddrs[all++] = s->list[i].vaddr;
	if (all)
		qsort(vaddrs, all, sizeof(*vaddrs), by_value);
	for (size_t i = 0; i < all; i++)
		if (!i || vaddrs[i] != vaddrs[i - 1])
			vaddrs[(*n)++] = vaddrs[i];
	return vaddrs;
}

/*
 * The distance of EL2 at which most calls reach the start of a function; false: none. Of
 * each function, the distance is that of the first call. The functions that another call
 * reaches at these distances are found in one pass, as both are in ascending order.
 */
static bool find_offset(const uint64_t *vaddrs, size_t n, const uint64_t *calls,
			size_t n_calls, unsigned int *hits, uint64_t *offset)
{
	unsigned int best = 0;

	for (size_t k = 0; k < n_calls; k++) {
		/* Function i + this is what the call would reach. */
		uint64_t further = calls[k] - calls[0];
		size_t to = 0;

		for (size_t i = 0; i < n; i++) {
			uint64_t want = vaddrs[i] + further;

			/* The sums of all functions wrap around once at most. */
			if (i && want < vaddrs[i - 1] + further)
				to = 0;
			while (to < n && vaddrs[to] < want)
				to++;
			hits[i] += to < n && vaddrs[to] == want;
		}
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t distance = calls[0] - vaddrs[i];

		/* The text is mapped in pages. */
		if (hits[i] <= best || distance & 0xfff)
			continue;
		best = hits[i];
		*offset = distance;
	}
	return best;
}

int symbols_add_hyp(struct symbols *s, const struct trace *t)
{
	uint64_t calls[CALLS_MAX], *vaddrs, offset = 0;
	size_t n_calls = t->hyp_top ? find_calls(t, calls) : 0, n_hyp, n = s->n;
	unsigned int *hits;
	int err = -ENOMEM;

	if (!n_calls)
		return 0;
	vaddrs = find_hyp(s, &n_hyp);
	hits = calloc(n_hyp + 1, sizeof(*hits));
	if (vaddrs && hits)
		err = 0;
	if (!err && find_offset(vaddrs, n_hyp, calls, n_calls, hits, &offset))
		for (size_t i = 0; i < n && !err; i++) {
			struct symbol symbol = s->list[i];

			symbol.space = SPACE_HYP;
			symbol.vaddr += offset;
			if (is_hyp(&s->list[i]))
				err = add(s, &symbol);
		}
	free(vaddrs);
	free(hits);
	return err;
}

static unsigned int underscores(const char *name)
{
	return (unsigned int)strspn(name, "_");
}

/* The linker's label of a place, not the name of a function. */
static bool is_boundary(const char *name)
{
	static const char *const ends[] = { "_text_start", "_text_end", "_thunk_array" };
	size_t bytes = strlen(name);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (bytes > strlen(ends[i]) &&
		    !strcmp(name + bytes - strlen(ends[i]), ends[i]))
			return true;
	return false;
}

/* By space and address; at one address, the preferred name first. */
static int by_place(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->space != y->space)
		return (x->space > y->space) - (x->space < y->space);
	if (x->vaddr != y->vaddr)
		return (x->vaddr > y->vaddr) - (x->vaddr < y->vaddr);
	/*
	 * Symbols without a size are labels if another symbol at the address has a
	 * size.
	 */
	if (!x->bytes != !y->bytes)
		return !x->bytes - !y->bytes;
	if (is_boundary(x->name) != is_boundary(y->name))
		return is_boundary(x->name) - is_boundary(y->name);
	if (x->global != y->global)
		return y->global - x->global;
	if (underscores(x->name) != underscores(y->name))
		return underscores(x->name) < underscores(y->name) ? -1 : 1;
	return strcmp(x->name, y->name);
}

void symbols_sort(struct symbols *s)
{
	size_t kept = 0, i;

	if (!s->n)
		return;
	qsort(s->list, s->n, sizeof(*s->list), by_place);
	for (i = 1; i < s->n; i++)
		if (s->list[i].vaddr != s->list[kept].vaddr ||
		    s->list[i].space != s->list[kept].space)
			s->list[++kept] = s->list[i];
	s->n = kept + 1;
}

static bool is_same_text(const struct symbol *a, const struct symbol *b)
{
	if (a->space != b->space || !a->module || !b->module)
		return a->space == b->space && a->module == b->module;
	return !strcmp(a->module, b->module);
}

/* What a function without a size has at most, up to the next one, if `next` is one. */
static uint64_t most_bytes(const struct symbol *found, const struct symbol *next)
{
	if (!found->module || (next && is_same_text(found, next)))
		return LAST_BYTES;
	return 2ull * MODULE_PAGE_BYTES - found->vaddr % MODULE_PAGE_BYTES;
}

const struct symbol *symbols_find(const struct symbols *s, enum trace_space space,
				  uint64_t vaddr)
{
	size_t low = 0, high = s->n;
	const struct symbol *found;
	uint64_t bytes;

	/* The last symbol at or below the address. */
	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct symbol *m = &s->list[middle];

		if (m->space < space || (m->space == space && m->vaddr <= vaddr))
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	found = &s->list[low - 1];
	bytes = found->bytes ? found->bytes
			     : most_bytes(found, low < s->n ? &s->list[low] : NULL);
	return found->space == space && vaddr - found->vaddr < bytes ? found : NULL;
}

int symbols_add_thunks(struct symbols *s, const struct trace *t)
{
	struct symbol thunk = { .vaddr = 0 };
	struct symbols known;
	size_t i;
	int err = 0;

	symbols_sort(s);
	known = *s;
	for (i = 0; i < t->n_insns && !err; i++) {
		const struct trace_insn *insn = &t->insns[i];

		if ((insn->space != SPACE_KERNEL && insn->space != SPACE_L0) ||
		    insn->decode.flow != FLOW_JUMP || insn->decode.target ||
		    symbols_find(&known, insn->space, insn->vaddr))
			continue;
		thunk.space = insn->space;
		thunk.name = SYMBOLS_L0_PREFIX "[indirect thunk]";
		if (insn->space == SPACE_KERNEL)
			thunk.name += strlen(SYMBOLS_L0_PREFIX);
		thunk.vaddr = insn->vaddr;
		thunk.bytes = insn->bytes;
		err = add(s, &thunk);
		known.list = s->list;
	}
	if (s->n > known.n)
		symbols_sort(s);
	return err;
}

/* ------------------------------ names ------------------------------ */

static const char *const space_names[SPACES] = {
	[SPACE_GUEST] = "guest", [SPACE_USER] = "user", [SPACE_KERNEL] = "kernel",
	[SPACE_HYP] = "hyp",	 [SPACE_L0] = "l0",
};

/* Names of code without a symbol. */
static const char *const nameless[SPACES] = {
	[SPACE_GUEST] = "[guest]", [SPACE_USER] = "[user]", [SPACE_KERNEL] = "[kernel]",
	[SPACE_HYP] = "[hyp]",	   [SPACE_L0] = "[L0]",
};

const char *symbols_space_name(enum trace_space space)
{
	return space_names[space];
}

enum trace_space symbols_space(const char *name)
{
	enum trace_space space = SPACES;

	while (space-- > 0)
		if (!strcmp(space_names[space], name))
			return space;
	return SPACE_KERNEL;
}

const char *symbols_name(const struct symbol *symbol, enum trace_space space)
{
	return symbol ? symbol->name : nameless[space];
}

/* ------------------------------ layers ------------------------------ */

struct layer_row {
	unsigned int archs;
	const char *module, *pattern, *layer, *l0_layer;
};

#define LAYER(archs_, module_, pattern_, layer_)                                         \
	{ .archs = (archs_),                                                             \
	  .module = (module_),                                                           \
	  .pattern = (pattern_),                                                         \
	  .layer = layer_,                                                               \
	  .l0_layer = "L0: " layer_ },

static const struct layer_row layers[] = {
#include "host/explain/layers.def"
};

/* A module's name, with hyphens or underscores. */
static bool is_in(const struct layer_row *r, const char *module)
{
	return !strcmp(r->module, "*") || !fnmatch(r->module, module ? module : "", 0);
}

/* fnmatch(3) is slow, and most patterns begin with another letter than the name. */
static bool fits(const char *pattern, const char *name)
{
	if (isalnum((unsigned char)*pattern) && *pattern != *name)
		return false;
	return !fnmatch(pattern, name, 0);
}

static const char *layer_of_kernel(enum arch arch, bool l0, const char *module,
				   const char *name)
{
	static const char *const prefixes[] = { HYP_PREFIX, "__pi_" };
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			name += strlen(prefixes[i]);
	for (i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
		if (layers[i].archs & 1u << arch && is_in(&layers[i], module) &&
		    fits(layers[i].pattern, name))
			return l0 ? layers[i].l0_layer : layers[i].layer;
	return l0 ? "L0: kernel, other" : "kernel, other";
}

const char *layer_of(enum arch arch, enum trace_space space, const char *module,
		     const char *name)
{
	if (space == SPACE_GUEST)
		return "guest";
	if (space == SPACE_USER)
		return "VMM";
	if (space != SPACE_L0)
		return name ? layer_of_kernel(arch, false, module, name) : "no symbol";
	if (!name || strncmp(name, SYMBOLS_L0_PREFIX, strlen(SYMBOLS_L0_PREFIX)) != 0)
		return "L0: no symbol";
	if (module && !strcmp(module, VMM_OF_L0))
		return "L0: VMM";
	return layer_of_kernel(arch, true, module, name + strlen(SYMBOLS_L0_PREFIX));
}
