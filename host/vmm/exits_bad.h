/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exits that nobody can serve: what they say, and the registers. */
#ifndef WS_VMM_EXITS_BAD_H
#define WS_VMM_EXITS_BAD_H

#include "host/vmm/exits.h"

/*
 * Both set vm->error to one line and vm->dump to all registers, and return
 * EXITS_UNHANDLED. The second one tells from kvm_run what is wrong.
 */
enum exits_answer exits_bad(struct vcpu *vcpu, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
enum exits_answer exits_bad_reason(struct vcpu *vcpu);

#endif
