/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which titles of commits fit the functions of a step. */
#include "host/explain/step.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Functions with less than this share of the step's instructions do not decide. */
#define LEAST_SHARE 0.04
#define WORD_BYTES  48
#define WORDS_MAX   16
/* Titles by which the weight of a word is estimated. */
#define SAMPLE	    5000
/* Commits that are listed. */
#define CAUSES_MAX  6
/* A title that contains the function's name. */
#define VERBATIM    15.0
/* From this score on a commit is likely, if no other comes close. */
#define LIKELY	    14.0
#define CLOSE_SHARE 0.8
#define LEAST_SCORE 4.0

const char *cause_strength_name(enum cause_strength strength)
{
	static const char *const names[] = {
		[CAUSE_CERTAIN] = "certain",
		[CAUSE_LIKELY] = "likely",
		[CAUSE_CANDIDATE] = "candidate",
	};

	return names[strength];
}

/* ------------------------------ the list ------------------------------ */

struct cause *causes_add(struct causes *c, const char *version, const char *title)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->list[i].title, title) &&
		    !strcmp(c->list[i].version, version))
			return &c->list[i];
	c->list = reallocarray(c->list, c->n + 1, sizeof(*c->list));
	if (!c->list)
		abort();
	c->list[c->n] = (struct cause){
		.strength = CAUSE_CANDIDATE,
		.version = version,
		.title = title,
	};
	return &c->list[c->n++];
}

void cause_add_function(struct cause *c, const struct step_function *f)
{
	c->functions =
		reallocarray(c->functions, c->n_functions + 1, sizeof(*c->functions));
	if (!c->functions)
		abort();
	c->functions[c->n_functions++] = f;
}

static int by_strength(const void *a, const void *b)
{
	const struct cause *x = a, *y = b;

	if (x->strength != y->strength)
		return x->strength < y->strength ? -1 : 1;
	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return strcmp(x->title, y->title);
}

void causes_sort(struct causes *c)
{
	if (c->n)
		qsort(c->list, c->n, sizeof(*c->list), by_strength);
}

void cause_source_name(const char *symbol, char name[CAUSE_NAME_BYTES])
{
	static const char prefix[] = "__kvm_nvhe_";
	size_t skip = strncmp(symbol, prefix, strlen(prefix)) ? 0 : strlen(prefix);

	snprintf(name, CAUSE_NAME_BYTES, "%.*s", (int)strcspn(symbol + skip, "."),
		 symbol + skip);
}

/* ------------------------------ subsystems ------------------------------ */

/*
 * The subsystems that commits of a function are filed under: by its module or layer, and
 * what the part of the title before the last ": " contains. The rows add up.
 */
static const struct {
	const char *module, *layer, *subsystem;
	double points;
} subsystems[] = {
	{ "kvm_amd", NULL, "SVM", 4 },
	{ "kvm_amd", NULL, "KVM: x86", 3 },
	{ "kvm_intel", NULL, "VMX", 4 },
	{ "kvm_intel", NULL, "KVM: x86", 3 },
	{ "kvm", NULL, "KVM: x86", 3 },
	{ "kvm", NULL, "KVM", 2 },
	{ "kvm_amd", NULL, "KVM", 1 },
	{ "kvm_intel", NULL, "KVM", 1 },
	{ NULL, "KVM, arm64", "KVM: arm64", 3 },
	{ NULL, "KVM, arm64", "KVM", 2 },
	{ NULL, "KVM, world switch", "KVM: arm64", 3 },
	{ NULL, "KVM, world switch", "KVM", 2 },
	{ NULL, "KVM, generic", "KVM", 3 },
	{ NULL, "KVM, generic", "KVM: arm64", 1 },
	{ NULL, "KVM, memory", "KVM: arm64", 3 },
	{ NULL, "KVM, memory", "KVM", 2 },
	{ NULL, "KVM, I/O", "KVM", 3 },
	{ NULL, "GIC", "gic", 4 },
	{ NULL, "GIC", "vgic", 4 },
	{ NULL, "GIC", "KVM: arm64", 2 },
	{ NULL, "PMU", "pmu", 4 },
	{ NULL, "PMU", "KVM", 2 },
	{ NULL, "perf", "perf", 4 },
	{ NULL, "world-switch assembly", "KVM: arm64", 3 },
	{ NULL, "world-switch assembly", "KVM", 2 },
	{ NULL, "world-switch assembly", "x86/", 1 },
	{ NULL, "timers", "hrtimer", 4 },
	{ NULL, "timers", "time", 3 },
	{ NULL, "timers", "tick", 3 },
	{ NULL, "timers", "clock", 2 },
	{ NULL, "scheduler, RCU", "sched", 3 },
	{ NULL, "scheduler, RCU", "rcu", 3 },
	{ NULL, "system call", "entry", 3 },
	{ NULL, "system call", "randomize_kstack", 4 },
	{ NULL, "system call", "stackprotector", 2 },
	{ NULL, "mitigations", "x86/", 3 },
	{ NULL, "mitigations", "bugs", 3 },
	{ NULL, "mitigations", "arm64", 2 },
	{ NULL, "FP state", "fpu", 3 },
	{ NULL, "FP state", "arm64/fpsimd", 3 },
	{ NULL, "FP state", "KVM", 1 },
	{ NULL, "kernel memory", "mm", 3 },
	{ NULL, "user memory", "mm", 3 },
	{ NULL, "user memory", "uaccess", 3 },
	{ NULL, "exceptions, interrupts", "irq", 3 },
	{ NULL, "exceptions, interrupts", "entry", 3 },
};

/* The end of the part before the last ": ". */
static size_t subsystem_bytes(const char *title)
{
	const char *end = NULL;

	for (const char *c = title; (c = strstr(c, ": ")); c++)
		end = c;
	return end ? (size_t)(end - title) : 0;
}

/* Whether a word of the text begins with `part`; "hrtimers" begins with "hrtimer". */
static bool contains(const char *text, size_t bytes, const char *part)
{
	size_t n = strlen(part);

	for (size_t i = 0; i + n <= bytes; i++)
		if (!strncasecmp(text + i, part, n) &&
		    (!i || !isalnum((unsigned char)text[i - 1])))
			return true;
	return false;
}

static bool is_name(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static double affinity(const struct step_function *f, const char *title)
{
	size_t bytes = subsystem_bytes(title);
	double points = 0;

	for (size_t i = 0; i < sizeof(subsystems) / sizeof(subsystems[0]); i++)
		if ((is_name(subsystems[i].module, f->module) ||
		     (!f->module && is_name(subsystems[i].layer, f->layer))) &&
		    contains(title, bytes, subsystems[i].subsystem) &&
		    subsystems[i].points > points)
			points = subsystems[i].points;
	return points;
}

/*
 * The architectures that a title is tagged with: "[x86] ...", "[arm64,armhf] ...". No
 * tag: all; but a subsystem can name the architecture, too.
 */
static bool is_of_arch(const char *title, const char *arch)
{
	static const char *const x86[] = { "x86", "amd64", NULL };
	static const char *const arm[] = { "arm64", "arm*", NULL };
	const char *const *tags = strcmp(arch, "x86_64") ? arm : x86;
	const char *const *others = strcmp(arch, "x86_64") ? x86 : arm;
	const char *end = *title == '[' ? strchr(title, ']') : NULL;
	size_t bytes = subsystem_bytes(title);

	for (size_t i = 0; end && tags[i]; i++)
		if (contains(title, (size_t)(end - title), tags[i]))
			return true;
	return !end && !contains(title, bytes, others[0]);
}

/*
 * Titles of what no exit executes: the tools, whose titles have a space after "perf", and
 * drivers, such as the "pmu" that is a power management unit.
 */
static bool is_of_kernel(const char *title)
{
	static const char *const others[] = {
		"perf ",	 "selftests", "tools",	   "bpftool",	  "dt-bindings",
		"Documentation", "docs",      "rtla",	   "MAINTAINERS", "soc: ",
		"drm",		 "media: ",   "wifi: ",	   "net: ",	  "ALSA: ",
		"ASoC: ",	 "iio: ",     "pinctrl: ", "mfd: ",	  "usb: ",
		"scsi: ",	 "gpio: ",    "mmc: ",	   "Bluetooth: ", "clk: ",
		"i2c: ",	 "spi: ",     "nvme",	   "ata: ",	  "staging: ",
		"Input: ",	 "HID: ",     "hwmon: ",   "ext4: ",	  "xfs: ",
		"btrfs: ",	 "f2fs: ",    "smb: ",	   "nfs"
	};

	if (*title == '[' && strchr(title, ']'))
		title = strchr(title, ']') + 1;
	title += strspn(title, " ");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strncasecmp(title, others[i], strlen(others[i])))
			return false;
	return !contains(title, subsystem_bytes(title), "dts");
}

/* ------------------------------ words ------------------------------ */

struct word {
	char text[WORD_BYTES];
	double weight;
};

/* Words of names that say nothing about what a commit changes. */
static bool is_noise(const char *word)
{
	static const char *const noise[] = {
		"kvm",	"vcpu", "arch",	     "x86", "arm",  "arm64", "get",
		"set",	"do",	"is",	     "to",  "of",   "on",    "the",
		"for",	"in",	"and",	     "raw", "nvhe", "fn",    "isra",
		"part", "cold", "constprop", "a",   "an",   "use",   "from",
	};

	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		if (!strcasecmp(word, noise[i]))
			return true;
	return false;
}

/* The next word of letters and digits from *text on; false: there is none. */
static bool next_word(const char **text, char word[WORD_BYTES])
{
	size_t n = 0;

	while (**text && !isalnum((unsigned char)**text))
		++*text;
	while (isalnum((unsigned char)**text)) {
		if (n < WORD_BYTES - 1)
			word[n++] = (char)tolower((unsigned char)**text);
		++*text;
	}
	word[n] = '\0';
	return n;
}

/* "intercept" and "interception", "clear" and "clearing" are alike. */
static bool is_alike(const char *a, const char *b)
{
	size_t bytes_a, bytes_b, least;

	/* Most words differ here. */
	if (*a != *b)
		return false;
	bytes_a = strlen(a);
	bytes_b = strlen(b);
	least = bytes_a < bytes_b ? bytes_a : bytes_b;
	if (bytes_a == bytes_b)
		return !strcmp(a, b);
	return least >= 4 && bytes_a + bytes_b - 2 * least <= 3 && !strncmp(a, b, least);
}

/*
 * The words of many titles, split once: those of title i begin at `words` + at[i], each
 * ended by a NUL, and an empty word ends the title.
 */
struct title_words {
	char *words;
	size_t *at;
};

static void words_open(struct title_words *t, const struct change *const *changes,
		       size_t n)
{
	size_t bytes = 1, used = 0;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(changes[i]->title) + 2;
	/* next_word() writes at most WORD_BYTES. */
	t->words = malloc(bytes + WORD_BYTES);
	t->at = calloc(n + 1, sizeof(*t->at));
	if (!t->words || !t->at)
		abort();
	for (size_t i = 0; i < n; i++) {
		const char *title = changes[i]->title;

		t->at[i] = used;
		while (next_word(&title, t->words + used))
			used += strlen(t->words + used) + 1;
		t->words[used++] = '\0';
	}
}

static void words_close(struct title_words *t)
{
	free(t->words);
	free(t->at);
}

static bool title_has_word(const struct title_words *t, size_t title, const char *word)
{
	for (const char *w = t->words + t->at[title]; *w; w += strlen(w) + 1)
		if (is_alike(word, w))
			return true;
	return false;
}

static bool title_has_name(const char *title, const char *name)
{
	size_t n = strlen(name);

	for (const char *c = title; n && (c = strstr(c, name)); c++)
		if ((c == title || !(isalnum((unsigned char)c[-1]) || c[-1] == '_')) &&
		    !(isalnum((unsigned char)c[n]) || c[n] == '_'))
			return true;
	return false;
}

/* The words of a function's name, weighted by how few of the sampled titles have them. */
static size_t words_of(const struct step_function *f, const struct title_words *known,
		       size_t sample, struct word words[WORDS_MAX])
{
	const char *name = f->name;
	size_t n = 0;

	while (n < WORDS_MAX && next_word(&name, words[n].text)) {
		size_t titles = 1;

		if (is_noise(words[n].text) || strlen(words[n].text) < 2)
			continue;
		for (size_t i = 0; i < sample; i++)
			titles += title_has_word(known, i, words[n].text);
		words[n].weight = log((double)(sample + 2) / (double)titles);
		n++;
	}
	return n;
}

/* ------------------------------ the ranking ------------------------------ */

static long long size_of(const struct step_function *f)
{
	long long least = llabs(f->least), most = llabs(f->most);

	return (least > most ? least : most) * (long long)f->n_rows;
}

/* What the functions of a step are compared with. */
struct titles {
	const char *arch;
	const struct change *const *changes;
	size_t n, n_sample;
	struct title_words words,
		sample; /* of the changes, and of the newest known ones */
};

static void titles_open(struct titles *t, const struct changelog *known)
{
	const struct change **sample;

	t->n_sample = known->n < SAMPLE ? known->n : SAMPLE;
	sample = calloc(t->n_sample + 1, sizeof(*sample));
	if (!sample)
		abort();
	for (size_t i = 0; i < t->n_sample; i++)
		sample[i] = &known->changes[i];
	words_open(&t->sample, sample, t->n_sample);
	words_open(&t->words, t->changes, t->n);
	free(sample);
}

static void titles_close(struct titles *t)
{
	words_close(&t->words);
	words_close(&t->sample);
}

static double fit(const struct step_function *f, const struct word *words, size_t n_words,
		  const struct titles *t, size_t i)
{
	const char *title = t->changes[i]->title;
	double points = affinity(f, title), score = 0;
	char name[CAUSE_NAME_BYTES];

	for (size_t k = 0; k < n_words; k++)
		if (title_has_word(&t->words, i, words[k].text))
			score += words[k].weight;
	cause_source_name(f->name, name);
	if (title_has_name(title, name))
		score += VERBATIM;
	/* Words alone are common to many subsystems. */
	if (!points && score < VERBATIM)
		score /= 4;
	return score + 2 * points;
}

/* A function counts for the title that fits it best, and for others that come close. */
static void rank_function(const struct step_function *f, double share,
			  const struct titles *t, struct causes *out)
{
	const struct change *const *changes = t->changes;
	struct word words[WORDS_MAX];
	size_t n = t->n, n_words = words_of(f, &t->sample, t->n_sample, words), close = 0;
	double *scores = calloc(n + 1, sizeof(*scores)), best = 0;

	if (!scores)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (is_of_arch(changes[i]->title, t->arch) &&
		    is_of_kernel(changes[i]->title))
			scores[i] = fit(f, words, n_words, t, i);
		best = fmax(best, scores[i]);
	}
	for (size_t i = 0; i < n; i++)
		close += scores[i] >= best * CLOSE_SHARE;
	for (size_t i = 0; i < n && best >= LEAST_SCORE; i++) {
		struct cause *c;

		if (scores[i] < best * CLOSE_SHARE)
			continue;
		c = causes_add(out,
			       changes[i]->update ? changes[i]->update
						  : changes[i]->package,
			       changes[i]->title);
		c->score += scores[i] * sqrt(share);
		if (close == 1 && best >= LIKELY)
			c->strength = CAUSE_LIKELY;
		cause_add_function(c, f);
	}
	free(scores);
}

void causes_of_titles(const struct step *step, const char *arch,
		      const struct changelog *known, const struct change *const *changes,
		      size_t n, struct causes *out)
{
	struct titles titles = { .arch = arch, .changes = changes, .n = n };
	double all = 0;

	titles_open(&titles, known);
	*out = (struct causes){ .n_searched = step->n };
	for (size_t i = 0; i < step->n; i++)
		all += (double)size_of(&step->functions[i]);
	for (size_t i = 0; i < step->n; i++) {
		double share = (double)size_of(&step->functions[i]) / all;

		if (share >= LEAST_SHARE)
			rank_function(&step->functions[i], share, &titles, out);
	}
	titles_close(&titles);
	causes_sort(out);
	while (out->n > CAUSES_MAX)
		causes_drop_last(out);
}

void causes_drop_last(struct causes *c)
{
	free(c->list[--c->n].functions);
}

void causes_free(struct causes *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->list[i].functions);
	free(c->list);
	free(c->text);
	*c = (struct causes){ .n = 0 };
}
