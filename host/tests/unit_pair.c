/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the pairing of functions of two explanations. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/explain/explanation.h"
#include "host/explain/explain_text.h"
#include "host/explain/pair.h"
#include "host/lib/error.h"

static struct explanation_function *function(struct explanation *e, const char *name,
					     const char *space)
{
	struct explanation_function *f;

	for (size_t i = 0; i < e->n_functions; i++)
		if (!strcmp(e->functions[i].name, name) &&
		    !strcmp(e->functions[i].space, space))
			return &e->functions[i];
	f = explanation_add_function(e);
	f->name = name;
	f->space = space;
	f->layer = "KVM";
	return f;
}

/* Instructions of the last frame, a function of this space. */
static struct explanation_stack *add_stack(struct explanation *e, uint64_t insns,
					   const char *space, va_list args)
{
	const char *frames[8], *name;
	struct explanation_stack *s;
	size_t n = 0;

	while ((name = va_arg(args, const char *)))
		frames[n++] = name;
	cr_assert(n);
	s = explanation_add_stack(e, n);
	memcpy(s->frames, frames, n * sizeof(*frames));
	s->insns = insns;
	function(e, frames[n - 1], space)->insns += insns;
	e->total += insns;
	return s;
}

/* A function of KVM with its own instructions, called by the frames before it. */
static void stack(struct explanation *e, uint64_t insns, ...)
{
	va_list args;

	va_start(args, insns);
	add_stack(e, insns, "kernel", args);
	va_end(args);
}

/* The first `users` frames are in user space, the others in the kernel. */
static void stack_from_user(struct explanation *e, uint64_t insns, size_t users, ...)
{
	struct explanation_stack *s;
	const char *space;
	va_list args;
	size_t n = 0;

	va_start(args, users);
	while (va_arg(args, const char *))
		n++;
	va_end(args);
	space = n == users ? "user" : "kernel";
	va_start(args, users);
	s = add_stack(e, insns, space, args);
	va_end(args);
	explanation_add_spaces(e, s);
	for (size_t i = 0; i < s->n_frames; i++) {
		s->spaces[i] = i < users ? "user" : "kernel";
		s->modules[i] = "";
	}
}

static struct explanation *base, *now;
static struct explain_change *changes;
static size_t n_changes;

static void begin(void)
{
	base = explanation_new();
	now = explanation_new();
}

static void end(void)
{
	explain_changes_free(changes, n_changes);
	explanation_free(base);
	explanation_free(now);
}

TestSuite(pair, .init = begin, .fini = end);

/* Pairs, and checks that no instruction is lost or counted twice. */
static void pair(void)
{
	unsigned long long in_base = 0, in_now = 0, want_base = 0, want_now = 0;

	explain_changes_free(changes, n_changes);
	n_changes = explain_changes(base, now, &changes);
	for (size_t i = 0; i < n_changes; i++) {
		in_base += changes[i].base;
		in_now += changes[i].now;
		cr_expect_eq(changes[i].change,
			     (long long)changes[i].now - (long long)changes[i].base);
	}
	for (size_t i = 0; i < base->n_functions; i++)
		want_base += base->functions[i].insns;
	for (size_t i = 0; i < now->n_functions; i++)
		want_now += now->functions[i].insns;
	cr_expect_eq(in_base, want_base, "%llu of %llu", in_base, want_base);
	cr_expect_eq(in_now, want_now, "%llu of %llu", in_now, want_now);
}

static const struct explain_change *find(const char *name)
{
	for (size_t i = 0; i < n_changes; i++)
		if (!strcmp(changes[i].name, name))
			return &changes[i];
	return NULL;
}

/* `how` NULL: by name alone. */
static void expect(const char *name, long long change, const char *how)
{
	const struct explain_change *c = find(name);

	cr_assert(c, "no change of %s", name);
	cr_expect_eq(c->change, change, "%s: %lld", name, c->change);
	if (how)
		cr_expect(c->how && !strcmp(c->how, how), "%s: \"%s\"", name,
			  c->how ? c->how : "");
	else
		cr_expect_null(c->how, "%s: \"%s\"", name, c->how);
}

static void expect_none(const char *name)
{
	cr_expect_null(find(name), "%s has a change of its own", name);
}

Test(pair, a_renamed_function_keeps_its_caller_and_its_size)
{
	stack(base, 20, "handle_hvc", NULL);
	stack(base, 56, "handle_hvc", "kvm_hvc_call_handler", NULL);
	stack(now, 20, "handle_hvc", NULL);
	stack(now, 65, "handle_hvc", "kvm_smccc_call_handler", NULL);
	pair();
	expect("kvm_smccc_call_handler", 9,
	       "was kvm_hvc_call_handler (same caller, similar name and size)");
	expect_none("kvm_hvc_call_handler");
	expect("handle_hvc", 0, NULL);
}

Test(pair, a_renamed_function_calls_the_same_functions)
{
	stack(base, 20, "run", NULL);
	stack(base, 40, "run", "exit_fixup", NULL);
	stack(base, 9, "run", "exit_fixup", "read_esr", NULL);
	stack(now, 20, "run", NULL);
	stack(now, 44, "run", "synchronise", NULL);
	stack(now, 9, "run", "synchronise", "read_esr", NULL);
	pair();
	expect("synchronise", 4,
	       "was exit_fixup (same caller and callees, similar size)");
}

Test(pair, another_caller_or_another_size_is_not_a_rename)
{
	stack(base, 20, "run", NULL);
	stack(base, 20, "load", NULL);
	stack(base, 56, "run", "kvm_hvc_call_handler", NULL);
	stack(base, 30, "run", "restore_state", NULL);
	stack(now, 20, "run", NULL);
	stack(now, 20, "load", NULL);
	stack(now, 56, "load", "kvm_smccc_call_handler", NULL);
	stack(now, 90, "run", "restore_guest_state", NULL);
	pair();
	expect("kvm_hvc_call_handler", -56, "gone, was called by run");
	expect("kvm_smccc_call_handler", 56, "new, called by load");
	expect("restore_state", -30, "gone, was called by run");
	expect("restore_guest_state", 90, "new, called by run");
}

/* kvm_pmu_sync_hwstate left the path, and kvm_nested_sync_hwstate entered it. */
Test(pair, small_functions_are_paired_by_equal_names_only)
{
	stack(base, 20, "run", NULL);
	stack(base, 9, "run", "kvm_pmu_sync_hwstate", NULL);
	stack(base, 5, "run", "enter", NULL);
	stack(now, 20, "run", NULL);
	stack(now, 5, "run", "kvm_nested_sync_hwstate", NULL);
	stack(now, 6, "run", "__enter", NULL);
	pair();
	expect("kvm_pmu_sync_hwstate", -9, "gone, was called by run");
	expect("kvm_nested_sync_hwstate", 5, "new, called by run");
	expect("__enter", 1, "was enter (same caller, similar name and size)");
}

/* Leaves of one size are paired only if no other function fits, and within a module. */
Test(pair, a_size_alone_is_weak_evidence)
{
	stack(base, 20, "run", NULL);
	stack(base, 60, "run", "flush", NULL);
	stack(now, 20, "run", NULL);
	stack(now, 60, "run", "drain", NULL);
	pair();
	expect("drain", 0, "was flush (same caller and size)");
	stack(now, 60, "run", "sync", NULL);
	pair();
	expect("flush", -60, "gone, was called by run");
	expect("drain", 60, "new, called by run");
	expect("sync", 60, "new, called by run");
}

Test(pair, functions_of_two_modules_are_not_paired_by_size)
{
	stack(base, 20, "run", NULL);
	stack(base, 60, "run", "flush", NULL);
	stack(now, 20, "run", NULL);
	stack(now, 60, "run", "drain", NULL);
	now->functions[1].module = "kvm_amd";
	pair();
	expect("flush", -60, "gone, was called by run");
}

Test(pair, an_inlined_function_is_counted_with_its_caller)
{
	stack(base, 100, "run", NULL);
	stack(base, 157, "run", "vcpu_run", NULL);
	stack(base, 30, "run", "vcpu_run", "enter", NULL);
	stack(now, 261, "run", NULL);
	stack(now, 30, "run", "enter", NULL);
	pair();
	expect("run", 4, "vcpu_run (157) seems inlined");
	expect_none("vcpu_run");
	expect("enter", 0, NULL);
}

/* Below an inlined function, the tree of both goes on in the same boxes. */
Test(pair, an_inlined_function_is_a_part_of_its_callers_node)
{
	struct explain_node *nodes;
	size_t n;

	stack(base, 100, "run", NULL);
	stack(base, 157, "run", "vcpu_run", NULL);
	stack(base, 30, "run", "vcpu_run", "enter", NULL);
	stack(now, 261, "run", NULL);
	stack(now, 34, "run", "enter", NULL);
	stack(now, 5, "run", "other", NULL);
	n = explain_tree_of_both(base, now, &nodes);
	cr_assert_eq(n, 4);
	for (size_t i = 1; i < n; i++) {
		const struct explain_node *node = &nodes[i];

		if (!strcmp(node->name, "run")) {
			cr_expect_eq(node->base_self, 257);
			cr_expect_eq(node->self, 261);
			cr_expect_eq(node->base_total, 287);
			cr_expect_eq(node->total, 300);
			cr_expect_eq(node->width, 300);
		} else if (!strcmp(node->name, "enter")) {
			cr_expect_eq(node->depth, 2);
			cr_expect_eq(node->base_self, 30);
			cr_expect_eq(node->self, 34);
		} else {
			cr_expect_str_eq(node->name, "other");
			cr_expect_eq(node->base_total, 0);
		}
	}
	cr_expect_eq(nodes[0].total, 300);
	cr_expect_eq(nodes[0].base_total, 287);
	free(nodes);
}

/* What one kernel calls by way of a thunk, and another directly, is one node. */
Test(pair, a_thunk_with_callees_is_not_a_node)
{
	struct explain_node *nodes;

	stack(base, 100, "run", NULL);
	stack(base, 50, "run", "srso_return_thunk", "exit", NULL);
	stack(base, 5, "run", "srso_return_thunk", NULL);
	stack(now, 100, "run", NULL);
	stack(now, 60, "run", "exit", NULL);
	cr_assert_eq(explain_tree_of_both(base, now, &nodes), 4);
	for (size_t i = 1; i < 4; i++)
		if (!strcmp(nodes[i].name, "exit")) {
			cr_expect_eq(nodes[i].base_self, 50);
			cr_expect_eq(nodes[i].self, 60);
			cr_expect_eq(nodes[i].depth, 2);
		} else if (!strcmp(nodes[i].name, "srso_return_thunk")) {
			cr_expect_eq(nodes[i].base_self, 5);
		}
	free(nodes);
}

Test(pair, a_function_is_inlined_with_its_callees)
{
	stack(base, 100, "run", NULL);
	stack(base, 40, "run", "outer", NULL);
	stack(base, 40, "run", "outer", "inner", NULL);
	stack(now, 182, "run", NULL);
	pair();
	expect("run", 2, "outer (40), inner (40) seems inlined");
	cr_expect_eq(n_changes, 1);
}

Test(pair, siblings_are_inlined_together)
{
	stack(base, 100, "run", NULL);
	stack(base, 40, "run", "first", NULL);
	stack(base, 70, "run", "second", NULL);
	stack(now, 210, "run", NULL);
	pair();
	expect("run", 0, "first (40), second (70) seems inlined");
}

Test(pair, a_function_that_was_split_off_is_counted_with_its_caller)
{
	stack(base, 86, "emulate", NULL);
	stack(now, 19, "emulate", NULL);
	stack(now, 69, "emulate", "____emulate", NULL);
	pair();
	expect("emulate", 2, "____emulate (69) seems split off");
	expect_none("____emulate");
}

Test(pair, a_function_of_another_module_was_not_inlined)
{
	stack(base, 100, "svm_vcpu_run", NULL);
	stack(base, 27, "svm_vcpu_run", "native_load_tr_desc", NULL);
	stack(now, 127, "svm_vcpu_run", NULL);
	base->functions[0].module = now->functions[0].module = "kvm_amd";
	pair();
	expect("svm_vcpu_run", 27, NULL);
	expect("native_load_tr_desc", -27, "gone, was called by svm_vcpu_run");
}

static void set_module(struct explanation *e, const char *name, const char *module)
{
	for (size_t i = 0; i < e->n_functions; i++)
		if (!strcmp(e->functions[i].name, name))
			e->functions[i].module = module;
}

static void set_space(struct explanation *e, const char *name, const char *space)
{
	for (size_t i = 0; i < e->n_functions; i++)
		if (!strcmp(e->functions[i].name, name))
			e->functions[i].space = space;
}

/* first and second were inlined; the kernel's function, called beside them, was not. */
Test(pair, siblings_of_another_module_are_not_inlined_together)
{
	static const char *const names[] = { "svm_vcpu_run", "first", "second" };

	stack(base, 100, "svm_vcpu_run", NULL);
	stack(base, 40, "svm_vcpu_run", "first", NULL);
	stack(base, 70, "svm_vcpu_run", "second", NULL);
	stack(base, 10, "svm_vcpu_run", "native_load_tr_desc", NULL);
	stack(now, 220, "svm_vcpu_run", NULL);
	for (size_t i = 0; i < 3; i++) {
		set_module(base, names[i], "kvm_amd");
		set_module(now, names[i], "kvm_amd");
	}
	pair();
	expect("svm_vcpu_run", 10, "first (40), second (70) seems inlined");
	expect("native_load_tr_desc", -10, "gone, was called by svm_vcpu_run");
}

/* Nor was the kernel's callee of an inlined function, nor what that callee calls. */
Test(pair, callees_of_another_module_are_not_inlined)
{
	static const char *const names[] = { "svm_vcpu_run", "enter_exit", "inner",
					     "called_back" };

	stack(base, 100, "svm_vcpu_run", NULL);
	stack(base, 40, "svm_vcpu_run", "enter_exit", NULL);
	stack(base, 30, "svm_vcpu_run", "enter_exit", "inner", NULL);
	stack(base, 9, "svm_vcpu_run", "enter_exit", "context_tracking", NULL);
	stack(base, 8, "svm_vcpu_run", "enter_exit", "context_tracking", "called_back",
	      NULL);
	stack(now, 187, "svm_vcpu_run", NULL);
	for (size_t i = 0; i < 4; i++) {
		set_module(base, names[i], "kvm_amd");
		set_module(now, names[i], "kvm_amd");
	}
	pair();
	expect("svm_vcpu_run", 17, "enter_exit (40), inner (30) seems inlined");
	expect("context_tracking", -9, "gone, was called by enter_exit");
	expect("called_back", -8, "gone, was called by context_tracking");
}

/* Neither is in a module: the module alone does not show that they are apart. */
Test(pair, a_kernel_function_was_not_inlined_into_the_vmm)
{
	stack(base, 100, "ioctl", NULL);
	stack(base, 60, "ioctl", "wrapper", NULL);
	stack(base, 12, "ioctl", "wrapper", "entry_SYSCALL_64", NULL);
	stack(now, 172, "ioctl", NULL);
	for (size_t i = 0; i < 2; i++) {
		set_space(i ? now : base, "ioctl", "user");
		set_space(i ? now : base, "wrapper", "user");
	}
	pair();
	expect("ioctl", 12, "wrapper (60) seems inlined");
	expect("entry_SYSCALL_64", -12, "gone, was called by wrapper");
}

/* EL2 of a kernel at EL1 is linked apart from the kernel. */
Test(pair, a_function_of_el2_was_not_inlined_into_the_kernel)
{
	stack(base, 100, "run", NULL);
	stack(base, 27, "run", "enter", NULL);
	stack(now, 127, "run", NULL);
	set_space(base, "enter", "hyp");
	pair();
	expect("run", 27, NULL);
	expect("enter", -27, "gone, was called by run");
}

/* The VMM has a vcpu_run, and so has KVM: the handler moved from one to the other. */
Test(pair, a_caller_of_this_name_in_another_space_is_another_caller)
{
	stack_from_user(base, 12, 1, "vcpu_run", NULL);
	stack_from_user(base, 20, 1, "vcpu_run", "ioctl_run", NULL);
	stack_from_user(base, 90, 1, "vcpu_run", "ioctl_run", "vcpu_run", NULL);
	stack_from_user(base, 56, 1, "vcpu_run", "kvm_hvc_call_handler", NULL);
	stack_from_user(now, 12, 1, "vcpu_run", NULL);
	stack_from_user(now, 20, 1, "vcpu_run", "ioctl_run", NULL);
	stack_from_user(now, 90, 1, "vcpu_run", "ioctl_run", "vcpu_run", NULL);
	stack_from_user(now, 56, 1, "vcpu_run", "ioctl_run", "vcpu_run",
			"kvm_smccc_call_handler", NULL);
	pair();
	expect("kvm_hvc_call_handler", -56, "gone, was called by vcpu_run");
	expect("kvm_smccc_call_handler", 56, "new, called by vcpu_run");
}

/* Also if the VMM's vcpu_run has no instructions in the event: it is only a frame. */
Test(pair, a_frame_of_this_name_in_another_space_is_another_caller)
{
	stack_from_user(base, 90, 1, "vcpu_run", "ioctl_run", "vcpu_run", NULL);
	stack_from_user(base, 56, 1, "vcpu_run", "kvm_hvc_call_handler", NULL);
	stack_from_user(now, 90, 1, "vcpu_run", "ioctl_run", "vcpu_run", NULL);
	stack_from_user(now, 56, 1, "vcpu_run", "ioctl_run", "vcpu_run",
			"kvm_smccc_call_handler", NULL);
	pair();
	expect("kvm_hvc_call_handler", -56, "gone, was called by vcpu_run");
	expect("kvm_smccc_call_handler", 56, "new, called by vcpu_run");
}

Test(pair, a_function_is_inlined_into_the_function_of_its_space)
{
	stack_from_user(base, 12, 1, "vcpu_run", NULL);
	stack_from_user(base, 90, 1, "vcpu_run", "ioctl_run", "vcpu_run", NULL);
	stack_from_user(base, 40, 1, "vcpu_run", "ioctl_run", "vcpu_run", "enter", NULL);
	stack_from_user(now, 15, 1, "vcpu_run", NULL);
	stack_from_user(now, 132, 1, "vcpu_run", "ioctl_run", "vcpu_run", NULL);
	pair();
	expect_none("enter");
	cr_assert_eq(n_changes, 2);
	cr_expect_str_eq(changes[0].space, "user");
	cr_expect_eq(changes[0].change, 3);
	cr_expect_null(changes[0].how);
	cr_expect_str_eq(changes[1].space, "kernel");
	cr_expect_eq(changes[1].change, 2);
	cr_expect_str_eq(changes[1].how, "enter (40) seems inlined");
}

/* Not with the function of that name in the other module, which comes first. */
Test(pair, a_name_that_two_modules_have_is_paired_by_module)
{
	struct explanation *const both[] = { base, now };

	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < 2; k++) {
			struct explanation_function *f =
				explanation_add_function(both[i]);

			f->name = "nested_run";
			f->space = "kernel";
			f->module = i == k ? "kvm" : "kvm_amd";
			f->layer = "KVM";
			f->insns = i == k ? 30 : 50;
		}
	pair();
	cr_assert_eq(n_changes, 2);
	cr_expect_eq(changes[0].change, 0);
	cr_expect_eq(changes[1].change, 0);
	cr_expect_str_neq(changes[0].module, changes[1].module);
}

Test(pair, nothing_is_split_off_a_thunk)
{
	stack(base, 125, "srso_return_thunk", NULL);
	stack(now, 102, "srso_return_thunk", NULL);
	stack(now, 23, "srso_return_thunk", "skip_insn", NULL);
	pair();
	expect("srso_return_thunk", -23, NULL);
	expect("skip_insn", 23, "new, called by srso_return_thunk");
}

Test(pair, a_caller_that_changed_by_another_amount_did_not_inline)
{
	stack(base, 100, "run", NULL);
	stack(base, 57, "run", "get_segment", NULL);
	stack(now, 103, "run", NULL);
	pair();
	expect("get_segment", -57, "gone, was called by run");
	expect("run", 3, NULL);
}

Test(pair, names_of_el2_and_position_independent_code_are_equal)
{
	stack(base, 10, "__kvm_nvhe___guest_enter", NULL);
	stack(base, 10, "memset", NULL);
	stack(base, 10, "walk", NULL);
	stack(now, 11, "__guest_enter", NULL);
	stack(now, 12, "__pi_memset", NULL);
	stack(now, 13, "walk.isra.0", NULL);
	pair();
	cr_expect_eq(n_changes, 3);
	expect("__guest_enter", 1, "was __kvm_nvhe___guest_enter");
	expect("__pi_memset", 2, "was memset");
	expect("walk.isra.0", 3, "was walk");
}

Test(pair, words_that_every_function_of_kvm_has_do_not_count)
{
	cr_expect_eq(explain_name_likeness("svm_get_segment", "svm_get_cpl"), 0);
	cr_expect_eq(explain_name_likeness("kvm_hvc_call", "kvm_hvc_call"), 1);
	cr_expect_eq(explain_name_likeness("__apic_update", "apic_update"), 1);
	cr_expect_float_eq(
		explain_name_likeness("hvc_call_handler", "smccc_call_handler"), 0.5,
		1e-9);
}

/* Explanations of Debian's kernels (data/README.md). */
static void read_both(const char *first, const char *second)
{
	const char *names[] = { first, second };
	struct explanation **to[] = { &base, &now };
	char path[128];
	struct error err;

	end();
	changes = NULL;
	n_changes = 0;
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "host/tests/data/explain/%s.json", names[i]);
		cr_assert_eq(explanation_read(path, to[i], &err), 0, "%s", err.text);
	}
	pair();
}

Test(pair, vhe_from_6_1_to_6_12)
{
	read_both("vhe-hypercall-6.1", "vhe-hypercall-6.12");
	expect("kvm_smccc_call_handler", 9,
	       "was kvm_hvc_call_handler (same caller, similar name and size)");
	/* The VMID is not checked here any more; FP state is cleared. */
	expect("kvm_arm_vmid_update", -37, "gone, was called by kvm_arch_vcpu_ioctl_run");
	expect("memset", 30, "new, called by kvm_arch_vcpu_ctxsync_fp");
	expect("vcpu_read_sys_reg", 42, NULL);
}

Test(pair, svm_from_6_1_to_7_3)
{
	read_both("svm-hypercall-6.1", "svm-hypercall-7.3");
	expect("kvm_emulate_hypercall", 2,
	       "____kvm_emulate_hypercall (69) seems split off");
	expect("retbleed_return_thunk", -7,
	       "was srso_return_thunk (same caller, similar name and size)");
	expect("kvm_lapic_update_cr8_intercept", 102, "new, called by kvm_set_cr8");
	expect("svm_get_segment", -57, "gone, was called by svm_get_cs_db_l_bits");
	/* 27 and 30 instructions, called by one function: of the kernel and of a module.
	 */
	expect("native_load_tr_desc", -27, "gone, was called by svm_vcpu_run");
	expect("msr_write_intercepted.isra.0", 30, "new, called by svm_vcpu_run");
}
