/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that boot payloads. */
#include "host/lib/process.h"
#include "host/lib/error.h"
#include "host/measure/measure.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "host/targets/target.h"

#define THREADS_MAX 64

/*
 * Reports stay in memory until pool_wait(). A thread that is this far ahead of
 * pool_wait() waits.
 */
#define AHEAD_MAX 256

/* The interval of pool_watch.waiting(). */
#define WATCH_NS 50000000

struct pool {
	struct target *target;
	struct pool_boot *boots;
	sem_t *slots;	       /* NULL: none */
	size_t n, next, taken; /* next: to start; taken: pool_wait() is past these */
	bool stop;
	pthread_mutex_t lock; /* of all above, and of the boots' states */
	pthread_cond_t changed;
	pthread_t threads[THREADS_MAX];
	size_t n_threads;
};

static int boot_all(struct target *t, struct pool_boot *b)
{
	struct boot_request rq = b->request;
	int rc = 0;

	if (!b->n)
		return 0;
	if (t->ops->boots)
		return t->ops->boots(t, &rq, b->n, b->reports, &b->err);
	for (size_t i = 0; i < b->n; i++, rq.placement++) {
		boot_report_init(&b->reports[i]);
		rc = t->ops->boot(t, &rq, &b->reports[i], &b->err);
		rc = boot_settle(&b->reports[i], rc, &b->err);
		__atomic_store_n(&b->done, i + 1, __ATOMIC_RELAXED);
		if (rc || b->reports[i].outcome != BOOT_DONE)
			break;
	}
	return rc;
}

/* boot_all() in one of the slots. */
static int boot_in_slot(struct pool *p, struct pool_boot *b)
{
	int rc;

	while (p->slots && sem_wait(p->slots))
		;
	rc = interrupted ? -EINTR : boot_all(p->target, b);
	if (p->slots)
		sem_post(p->slots);
	return rc;
}

static void *work(void *ctx)
{
	struct pool *p = ctx;

	pthread_mutex_lock(&p->lock);
	while (!p->stop && p->next < p->n) {
		struct pool_boot *b;

		if (p->next >= p->taken + AHEAD_MAX) {
			pthread_cond_wait(&p->changed, &p->lock);
			continue;
		}
		b = &p->boots[p->next++];
		if (b->state != POOL_WAITS)
			continue;
		b->state = POOL_RUNS;
		pthread_mutex_unlock(&p->lock);
		b->rc = boot_in_slot(p, b);
		pthread_mutex_lock(&p->lock);
		b->state = POOL_DONE;
		if (b->rc)
			p->stop = true;
		pthread_cond_broadcast(&p->changed);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

size_t pool_processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (size_t)n;
}

struct pool *pool_start(struct target *t, struct pool_boot *boots, size_t n, sem_t *slots)
{
	struct pool *p = calloc(1, sizeof(*p));
	size_t threads = t->ops->parallel ? pool_processors() : 1;
	pthread_condattr_t monotonic;

	if (!p)
		return NULL;
	p->target = t;
	p->boots = boots;
	p->slots = slots;
	p->n = n;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	for (size_t i = 0; i < n && t->ops->prepare && !interrupted; i++)
		if (boots[i].n)
			t->ops->prepare(t, boots[i].request.config);
	if (threads > n)
		threads = n;
	while (p->n_threads < threads &&
	       !pthread_create(&p->threads[p->n_threads], NULL, work, p))
		p->n_threads++;
	if (p->n_threads || !n)
		return p;
	pool_stop(p);
	return NULL;
}

/* Entries up to `i` are done. */
static void take(struct pool *p, size_t i)
{
	p->boots[i].state = POOL_TAKEN;
	p->taken = i + 1;
	pthread_cond_broadcast(&p->changed);
}

static void wait_a_moment(struct pool *p)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += WATCH_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&p->changed, &p->lock, &until);
}

int pool_wait(struct pool *p, size_t i, const struct pool_watch *watch, struct error *err)
{
	struct pool_boot *b = &p->boots[i];
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	while (b->state != POOL_DONE && !(b->state == POOL_WAITS && p->stop)) {
		pthread_mutex_unlock(&p->lock);
		watch->waiting(watch->ctx, __atomic_load_n(&b->done, __ATOMIC_RELAXED));
		pthread_mutex_lock(&p->lock);
		if (b->state != POOL_DONE)
			wait_a_moment(p);
	}
	if (b->state == POOL_WAITS) {
		/* Not started because another boot failed: reports that error. */
		for (size_t k = 0; k < p->n && !rc; k++)
			if (p->boots[k].state == POOL_DONE && p->boots[k].rc) {
				rc = p->boots[k].rc;
				*err = p->boots[k].err;
			}
	} else if (b->rc) {
		rc = b->rc;
		*err = b->err;
	}
	if (rc == -EINTR && !*err->text)
		error_set(err, rc, "interrupted");
	take(p, i);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

void pool_stop(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->boots[i].n; k++)
			if (p->boots[i].state == POOL_DONE && !p->boots[i].rc)
				boot_report_free(&p->boots[i].reports[k]);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
