/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of labs, of every command that boots one. */
#ifndef WS_CLI_LAB_OPTIONS_H
#define WS_CLI_LAB_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

#include "host/explain/touch.h"
#include "host/targets/target.h"

/*
 * A child for `struct argp.children` whose input is a struct job: --kernel, --modules,
 * --append, --emulator and --lab-timeout.
 */
extern const struct argp options_lab;
#define OPTIONS_LAB "labs:"

/* The options of `--touch`, of `wsbench run` and `wsbench explain`. */
struct touch_options {
	bool wanted;
	bool caches_given;
	struct touch_caches caches;
};

/* A child; its input is a struct touch_options. */
extern const struct argp touch_argp;
#define TOUCH_OPTIONS "simulated caches, in labs:"
void touch_options_init(struct touch_options *o);
/* Why the options contradict each other; NULL: they do not. */
const char *touch_options_wrong(const struct touch_options *o);

/* Why the target cannot record; NULL: it can. */
const char *touch_refusal(const struct target *t);

#endif
