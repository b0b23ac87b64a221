/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of statistics against SciPy, if installed. */
#include <unistd.h>

#include "host/stats/two_sample.h"
#include "host/tests/stats_fixture.h"

#define ROUNDS 30
#define VALUES 12

/*
 * The program: reads lines "x... | y...", prints a line of p values for each. Without
 * ties, as SciPy's exact Mann-Whitney test requires.
 */
static const char *const script =
	"import sys\n"
	"from scipy import stats\n"
	"for line in open(sys.argv[1]):\n"
	"    x, y = ([float(v) for v in half.split()] for half in line.split('|'))\n"
	"    u = stats.mannwhitneyu(x, y, method='exact')\n"
	"    t = stats.ttest_ind(x, y, equal_var=True)\n"
	"    print(repr(float(u.statistic)), repr(float(u.pvalue)),\n"
	"          repr(float(t.pvalue)))\n";

struct sample {
	double x[VALUES], y[VALUES];
	size_t n_x, n_y;
};

static void draw(struct sample *s, unsigned int round)
{
	unsigned int state = round * 2654435761u + 1;

	s->n_x = 3 + round % (VALUES - 3);
	s->n_y = 3 + round * 5 % (VALUES - 3);
	for (size_t i = 0; i < s->n_x + s->n_y; i++) {
		/* The index in the low bits makes all values different. */
		double value;

		state = state * 1664525u + 1013904223u;
		value = (double)((state >> 12 << 5) + i);
		if (i < s->n_x)
			s->x[i] = value;
		else
			s->y[i - s->n_x] = value + 1e6 * (round % 3);
	}
}

static void print_half(FILE *f, const double *values, size_t n, char end)
{
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%.17g ", values[i]);
	fputc(end, f);
}

/* Starts SciPy on all samples; NULL: not installed. */
static FILE *ask(const struct sample *samples, char path[])
{
	char command[4096];
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	cr_assert(f);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		print_half(f, samples[i].x, samples[i].n_x, '|');
		print_half(f, samples[i].y, samples[i].n_y, '\n');
	}
	fclose(f);
	if (system("PATH=/usr/bin:$PATH python3 -c 'import scipy.stats' 2>/dev/null"))
		return NULL;
	snprintf(command, sizeof(command), "PATH=/usr/bin:$PATH python3 -c \"%s\" %s",
		 script, path);
	return popen(command, "r");
}

static void compare_one(const struct sample *s, const double want[3])
{
	struct stats_mann_whitney u;
	const struct student_sample x = student_sample(s->x, s->n_x, 1);
	const struct student_sample y = student_sample(s->y, s->n_y, 1);

	cr_assert_eq(stats_mann_whitney(s->x, s->n_x, s->y, s->n_y, &u), 0);
	cr_expect_eq(u.u, want[0]);
	expect_close(u.p, want[1]);
	expect_close(student_p(&x, &y, 0), want[2]);
}

Test(oracle, agrees_with_scipy)
{
	char path[] = "/tmp/unit_stats_oracle.XXXXXX";
	struct sample samples[ROUNDS];
	FILE *answers;
	double want[3];
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		draw(&samples[i], i);
	answers = ask(samples, path);
	if (!answers) {
		unlink(path);
		cr_skip("python3-scipy is not installed");
	}
	for (i = 0; i < ROUNDS &&
		    fscanf(answers, "%lf %lf %lf", &want[0], &want[1], &want[2]) == 3;
	     i++)
		compare_one(&samples[i], want);
	pclose(answers);
	unlink(path);
	cr_expect_eq(i, ROUNDS);
}
