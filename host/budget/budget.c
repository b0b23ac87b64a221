/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exits of a workload times the figures of documents. */
#include "host/budget/budget.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host/result/result.h"

#define X86   ARCHS_X86_64, NULL
#define VMX   ARCHS_X86_64, "VMX"
#define SVM   ARCHS_X86_64, "SVM"
#define ARM64 ARCHS_AARCH64, NULL

/* ------------------------------ the mapping ------------------------------ */

struct reason {
	bool counter;
	unsigned int archs;
	const char *vendor, *names, *row, *why;
};

/* The macros of map.def take WHERE, which is two members. */
#define REASON(counter, row, ...)                                                        \
	{                                                                                \
		counter, REASON_(row, __VA_ARGS__)                                       \
	}
#define REASON_(row, archs, vendor, names, why) archs, vendor, names, row, why
static const struct reason reasons[] = {
#define EXIT(where, names, row, why)	  REASON(false, #row, where, names, why),
#define NO_ROW(where, names, why)	  REASON(false, NULL, where, names, why),
#define COUNTER(where, names, row, why)	  REASON(true, #row, where, names, why),
#define COUNTER_NO_ROW(where, names, why) REASON(true, NULL, where, names, why),
#define ACCESS(kind, first, last, way, row, why)
#include "host/budget/map.def"
#undef EXIT
#undef NO_ROW
#undef COUNTER
#undef COUNTER_NO_ROW
#undef ACCESS
};

static const struct access {
	enum exits_kind kind;
	uint64_t first, last;
	char way; /* 'R', 'W' */
	const char *row, *why;
} accesses[] = {
#define EXIT(where, names, row, why)
#define NO_ROW(where, names, why)
#define COUNTER(where, names, row, why)
#define COUNTER_NO_ROW(where, names, why)
#define ACCESS(kind, first, last, way, row, why) { kind, first, last, way, #row, why },
#include "host/budget/map.def"
#undef EXIT
#undef NO_ROW
#undef COUNTER
#undef COUNTER_NO_ROW
#undef ACCESS
};

/* The name of an exit without the tracepoint: "kvm_exit(HLT)" -> "HLT". */
static void plain_name(char to[EXITS_NAME_MAX + 1], const char *name)
{
	const char *open = "kvm_exit(";
	size_t n = strlen(name);

	if (!strncmp(name, open, strlen(open)) && name[n - 1] == ')')
		snprintf(to, EXITS_NAME_MAX + 1, "%.*s", (int)(n - strlen(open) - 1),
			 name + strlen(open));
	else
		strcpy(to, name);
}

static bool is_listed(const char *names, const char *name)
{
	size_t n = strlen(name);

	while (*names) {
		size_t word = strcspn(names, "|");

		if (word == n && !strncasecmp(names, name, n))
			return true;
		names += word + (names[word] == '|');
	}
	return false;
}

/* "0xfee000b0:W", "0x21:PIN", "0x514:POUT". */
static const struct access *find_access(enum exits_kind kind, const char *name)
{
	char *end, way;
	uint64_t address = strtoull(name, &end, 16);

	if (!strcmp(end, ":R") || !strcmp(end, ":PIN"))
		way = 'R';
	else if (!strcmp(end, ":W") || !strcmp(end, ":POUT"))
		way = 'W';
	else
		return NULL;
	for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++)
		if (accesses[i].kind == kind && accesses[i].way == way &&
		    accesses[i].first <= address && address <= accesses[i].last)
			return &accesses[i];
	return NULL;
}

/* A reason that kvm_stat splits by the handler of the exit; perf may call it otherwise.
 */
static bool is_split(const char *names, unsigned int arch)
{
	char part[EXITS_NAME_MAX + sizeof(" in kvm")];

	for (size_t n; *names; names += n + (names[n] == '|')) {
		n = strcspn(names, "|");
		snprintf(part, sizeof(part), "%.*s in kvm", (int)n, names);
		for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
			if (is_listed(reasons[i].names, part) &&
			    (reasons[i].archs & arch))
				return true;
	}
	return false;
}

static void map_reason(bool counter, const char *name, unsigned int arch,
		       struct budget_map *map)
{
	const struct reason *found = NULL;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].counter == counter && is_listed(reasons[i].names, name) &&
		    (!found || (reasons[i].archs & arch)))
			found = &reasons[i];
	if (found) {
		map->class = found->row ? BUDGET_ROW : BUDGET_NO_ROW;
		map->row = found->row;
		map->why = found->why;
		map->archs = found->archs;
		map->vendor = found->vendor;
		map->mixed = !counter && found->row && is_split(found->names, arch);
	} else {
		map->class = counter ? BUDGET_OTHER : BUDGET_NO_ROW;
		map->why = counter ? NULL : "an unknown exit reason";
	}
}

/* Whether the override is for this exit: by its name, or by that of both its parts. */
static bool is_for(const struct budget_override *o, const char *name)
{
	static const char *const parts[] = { "", " to VMM", " in KVM" };
	size_t n = strlen(o->name);

	if (strncasecmp(o->name, name, n) != 0)
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strcasecmp(name + n, parts[i]))
			return true;
	return false;
}

const char *budget_unused_override(const struct exits *e, const struct budget_options *o)
{
	char name[EXITS_NAME_MAX + 1];

	for (size_t i = 0; i < o->n_overrides; i++) {
		size_t k = 0;

		for (; k < e->n; k++) {
			plain_name(name, e->events[k].name);
			if (is_for(&o->overrides[i], name))
				break;
		}
		if (k == e->n)
			return o->overrides[i].name;
	}
	return NULL;
}

void budget_map(const struct exits *e, const struct exits_event *event, unsigned int arch,
		const struct budget_options *o, struct budget_map *map)
{
	char name[EXITS_NAME_MAX + 1];
	const struct access *a;

	*map = (struct budget_map){ .archs = ARCHS_ALL };
	plain_name(name, event->name);
	switch (e->kind) {
	case EXITS_VMEXIT:
		map_reason(false, name, arch, map);
		break;
	case EXITS_TRACEPOINTS:
		if (!strcmp(event->name, "kvm_exit"))
			map->class = BUDGET_TOTAL;
		else if (strcmp(event->name, name) != 0)
			map_reason(false, name, arch, map);
		else
			map->class = BUDGET_OTHER;
		break;
	case EXITS_COUNTERS:
		if (!strcmp(event->name, "exits"))
			map->class = BUDGET_TOTAL;
		else
			map_reason(true, name, arch, map);
		break;
	case EXITS_MMIO:
	case EXITS_IOPORT:
	case EXITS_MSR:
		a = find_access(e->kind, name);
		map->class = a ? BUDGET_ROW : BUDGET_NO_ROW;
		map->row = a ? a->row : NULL;
		map->why = a ? a->why : "not an access that is read or written";
		map->archs = ARCHS_X86_64;
		break;
	}
	for (size_t i = 0; i < o->n_overrides; i++)
		if (is_for(&o->overrides[i], name) &&
		    (map->class == BUDGET_ROW || map->class == BUDGET_NO_ROW)) {
			map->class = BUDGET_ROW;
			map->row = o->overrides[i].row;
			map->why = "given by --map";
			map->mixed = false;
		}
}

const char **budget_rows(const struct exits *e, unsigned int arch,
			 const struct budget_options *o, size_t *n)
{
	const char **rows = calloc(e->n + 1, sizeof(*rows));
	struct budget_map map;
	size_t k;

	if (!rows)
		abort();
	*n = 0;
	for (size_t i = 0; i < e->n; i++) {
		budget_map(e, &e->events[i], arch, o, &map);
		if (map.class != BUDGET_ROW || !(e->events[i].count > 0))
			continue;
		for (k = 0; k < *n && strcmp(rows[k], map.row) != 0; k++)
			;
		if (k == *n)
			rows[(*n)++] = map.row;
	}
	return rows;
}

/* ------------------------------ the figures ------------------------------ */

static char *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *text(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	return s;
}

static unsigned int arch_of(const struct result *r)
{
	return r->machine.arch && !strcmp(r->machine.arch, "aarch64") ? ARCHS_AARCH64
								      : ARCHS_X86_64;
}

/*
 * The cost of one exit: a row whose event exits more than once is divided by its exits.
 * NULL, or the cause of a missing figure; free() it.
 */
static char *find_cost(const struct result *r, const char *row, const char *config,
		       double *cost, const char **unit)
{
	const struct result_benchmark *b = result_find(r, row, config);
	const struct result_metric *m = b ? result_find_metric(b, "round_trip") : NULL;
	const struct bench *bench = result_find_bench(row);
	struct result_class class;

	if (!b)
		return text("row %s%s%s is not in the document", row,
			    config ? " under config " : "", config ? config : "");
	if (b->status != RESULT_OK)
		return text("row %s: %s%s%s", row,
			    b->status == RESULT_SKIP ? "skipped" : "failed",
			    b->reason ? ": " : "", b->reason ? b->reason : "");
	if (!m || !isfinite(m->value))
		return text("row %s: %s", row,
			    m && m->reason ? m->reason : "no round trip");
	class = result_class_of(b);
	/* No KVM, whose document has no count of exits either: a bare machine. */
	if (isnan(class.exits) &&
	    (b->handled_by == HANDLED_NONE || b->handled_by == HANDLED_HARDWARE))
		class.exits = 0;
	/* A KVM without counters of exits, such as a software KVM, says nothing. */
	if (isnan(class.exits) || (!class.exits && !result_class_is_known(&class)))
		class.exits = bench && bench->exits ? bench->exits : 1;
	if (class.exits < 0.5)
		return text("row %s did not exit on %s", row, r->target.name);
	*cost = m->value / fmax(1, round(class.exits));
	*unit = m->unit;
	return NULL;
}

static struct budget_line *add_line(struct budget *b, const char *name, double count)
{
	struct budget_line *line;

	b->lines = realloc(b->lines, (b->n_lines + 1) * sizeof(*b->lines));
	if (!b->lines)
		abort();
	line = &b->lines[b->n_lines++];
	*line = (struct budget_line){ .count = count, .handled_us = NAN };
	for (size_t i = 0; i < BUDGET_SIDES; i++)
		line->cost[i] = line->spent[i] = NAN;
	strcpy(line->name, name);
	b->exits += count;
	return line;
}

/* Both sides have a figure, or the line has the reason why not. */
static int fill_line(struct budget *b, struct budget_line *line,
		     const struct budget_options *o, struct error *err)
{
	for (size_t i = 0; i < b->n_docs && !line->reason; i++) {
		const char *unit = NULL;

		line->reason = find_cost(b->docs[i], line->row, o->config, &line->cost[i],
					 &unit);
		if (line->reason)
			break;
		if (b->unit && unit && strcmp(b->unit, unit) != 0)
			return error_set(
				err, -EBADMSG,
				"figures in %s and in %s cannot be added: row %s of %s",
				b->unit, unit, line->row, b->docs[i]->target.name);
		b->unit = unit;
	}
	for (size_t i = 0; i < b->n_docs && !line->reason; i++) {
		line->spent[i] = line->cost[i] * line->count;
		b->spent[i] += line->spent[i];
	}
	if (!line->reason) {
		b->costed += line->count;
		b->n_costed++;
	}
	return 0;
}

/* Of two documents what differs, of one what is spent, without figures the exits. */
static double weight(const struct budget_line *line)
{
	if (line->reason)
		return line->count;
	return isnan(line->spent[1]) ? line->spent[0]
				     : fabs(line->spent[1] - line->spent[0]);
}

static int by_weight(const void *a, const void *b)
{
	const struct budget_line *x = a, *y = b;
	double left = weight(x), right = weight(y);

	if (!x->reason != !y->reason)
		return x->reason ? 1 : -1;
	if (left != right)
		return left < right ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* Exits that only the counter of all exits has seen. */
static void add_rest(struct budget *b, const struct exits *e, double total)
{
	bool counters = e->kind == EXITS_COUNTERS;

	if (total > b->exits)
		add_line(b, "(other exits)", total - b->exits)->reason = text(
			counters ? "counted by 'exits' and by no counter of its own"
				 : "counted by kvm_exit under no reason of kvm_stat");
}

static int check(const struct exits *e, const struct result *const *docs, size_t n_docs,
		 const struct budget_options *o, struct budget *b, struct error *err)
{
	const unsigned int arch = arch_of(docs[0]);
	const char *hypervisor = docs[0]->target.hypervisor;
	struct budget_map map;

	if (n_docs > 1 && arch_of(docs[1]) != arch)
		return error_set(err, -EBADMSG,
				 "the documents are of two architectures: %s and %s",
				 docs[0]->target.name, docs[1]->target.name);
	for (size_t i = 0; i < e->n; i++) {
		if (!(e->events[i].count > 0))
			continue;
		budget_map(e, &e->events[i], arch, o, &map);
		if (!(map.archs & arch))
			return error_set(err, -EINVAL,
					 "the exit %s is of another architecture than %s",
					 e->events[i].name, docs[0]->target.name);
		if (map.vendor && hypervisor && !b->warning &&
		    (strstr(hypervisor, "VMX") || strstr(hypervisor, "SVM")) &&
		    !strstr(hypervisor, map.vendor))
			b->warning = text("the exits are of %s and the figures of %s",
					  map.vendor, hypervisor);
	}
	return 0;
}

int budget_build(const struct exits *e, const struct result *const *docs, size_t n_docs,
		 const struct budget_options *o, struct budget *b, struct error *err)
{
	struct budget_map map;
	double total = NAN;
	int rc;

	*b = (struct budget){
		.n_docs = n_docs,
		.source = exits_kind_name(e->kind),
		.seconds = isnan(o->seconds) ? e->seconds : o->seconds,
		.lost = e->lost,
		.since_start = e->since_start,
	};
	for (size_t i = 0; i < n_docs; i++)
		b->docs[i] = docs[i];
	b->others = calloc(e->n + 1, sizeof(*b->others));
	if (!b->others)
		abort();
	rc = check(e, docs, n_docs, o, b, err);
	for (size_t i = 0; !rc && i < e->n; i++) {
		const struct exits_event *event = &e->events[i];
		char name[EXITS_NAME_MAX + 1];
		struct budget_line *line;

		budget_map(e, event, arch_of(docs[0]), o, &map);
		if (map.class == BUDGET_TOTAL)
			total = event->count;
		if (!(event->count > 0) || map.class == BUDGET_TOTAL)
			continue;
		if (map.class == BUDGET_OTHER) {
			b->others[b->n_others++] = *event;
			continue;
		}
		plain_name(name, event->name);
		line = add_line(b, name, event->count);
		line->handled_us = event->handled_us;
		line->row = map.row;
		line->why = map.why;
		line->mixed = map.mixed;
		if (map.class == BUDGET_ROW)
			rc = fill_line(b, line, o, err);
		else
			line->reason = text("%s", map.why);
	}
	if (!rc)
		add_rest(b, e, total);
	if (!rc && !b->n_lines)
		rc = error_set(err, -EINVAL, "no exits were counted");
	if (rc)
		budget_free(b);
	else
		qsort(b->lines, b->n_lines, sizeof(*b->lines), by_weight);
	return rc;
}

void budget_free(struct budget *b)
{
	for (size_t i = 0; i < b->n_lines; i++)
		free(b->lines[i].reason);
	free(b->lines);
	free(b->others);
	free(b->warning);
	*b = (struct budget){ 0 };
}

double budget_rate(const struct budget *b, double amount)
{
	return isnan(b->seconds) ? amount : amount / b->seconds;
}
