/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filters of system calls, by libseccomp from confine_calls.def. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/lib/confine.h"

enum use { ALLOWED_IN_VMM, ALLOWED_FOR_ITSELF, DENIED_IN_EMULATOR };

#define VMM(name)      { #name, ALLOWED_IN_VMM },
#define OWN(name)      { #name, ALLOWED_FOR_ITSELF },
#define EMULATOR(name) { #name, DENIED_IN_EMULATOR },
static const struct {
	const char *name;
	enum use use;
} calls[] = {
#include "host/lib/confine_calls.def"
};

/* A call that depends on the bits of an argument: true where (argument & mask) is value.
 */
struct condition {
	const char *name;
	unsigned int argument;
	scmp_datum_t mask, value;
};

/* The kernel reads 32 bits of a request of ioctl(), of flags, and of a mode. */
#define REQUEST(r)                                                                       \
	{                                                                                \
		"ioctl", 1, 0xffffffff, r                                                \
	}
#define FLAG(f)                                                                          \
	{                                                                                \
		"clone", 0, f, f                                                         \
	}

/* An emulator is denied these, and all else of the calls. */
static const struct condition denied_in_emulator[] = {
	/* Input for the shell of a terminal. */
	REQUEST(TIOCSTI),
	REQUEST(TIOCLINUX),
	/* Namespaces. */
	FLAG(CLONE_NEWNS),
	FLAG(CLONE_NEWCGROUP),
	FLAG(CLONE_NEWUTS),
	FLAG(CLONE_NEWIPC),
	FLAG(CLONE_NEWUSER),
	FLAG(CLONE_NEWPID),
	FLAG(CLONE_NEWNET),
	/* Before ABI 3, Landlock does not see the O_TRUNC of what is not open for
	 * writing: access modes 0 and 3. */
	{ "open", 1, O_ACCMODE | O_TRUNC, O_TRUNC },
	{ "open", 1, O_ACCMODE | O_TRUNC, O_TRUNC | O_ACCMODE },
	{ "openat", 2, O_ACCMODE | O_TRUNC, O_TRUNC },
	{ "openat", 2, O_ACCMODE | O_TRUNC, O_TRUNC | O_ACCMODE },
};

#define NAMESPACES                                                                       \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |   \
	 CLONE_NEWPID | CLONE_NEWNET)

/* The VMM is allowed these, and nothing else of the calls. */
static const struct condition allowed_in_vmm[] = {
	{ "clone", 0, NAMESPACES, 0 },
	{ "open", 1, O_TRUNC, 0 },
	{ "openat", 2, O_TRUNC, 0 },
};

/* Arguments of these are in memory. Programs use clone() and openat() where they lack. */
static const char *const lacking[] = { "clone3", "openat2" };

/* The type in a request of ioctl(), and the type of a terminal's. */
#define TYPE_BITS	   0xff00
#define TYPE_OF_A_TERMINAL 0x5400

static int add_condition(scmp_filter_ctx f, uint32_t action, const struct condition *c)
{
	int number = seccomp_syscall_resolve_name(c->name);

	if (number < 0)
		return 0;
	return seccomp_rule_add(
		f, action, number, 1,
		SCMP_CMP(c->argument, SCMP_CMP_MASKED_EQ, c->mask, c->value));
}

/*
 * The requests of ioctl() in the VMM. A VMM has no terminal, and the kernel denies it the
 * terminals of others, but not with CAP_SYS_ADMIN. Otherwise no argument is checked.
 */
static int add_ioctl_of_vmm(scmp_filter_ctx f, bool admin)
{
	int ret = 0;

	if (!admin)
		return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 0);
	/* Another type differs in at least one bit. */
	for (scmp_datum_t bit = 0x100; !ret && bit & TYPE_BITS; bit <<= 1)
		ret = add_condition(f, SCMP_ACT_ALLOW,
				    &(struct condition){ "ioctl", 1, bit,
							 ~TYPE_OF_A_TERMINAL & bit });
	return ret;
}

static int add_conditions(scmp_filter_ctx f, const struct confine *c)
{
	const bool vmm = c->role == CONFINE_VMM;
	const struct condition *at = vmm ? allowed_in_vmm : denied_in_emulator;
	const size_t n = vmm ? sizeof(allowed_in_vmm) / sizeof(*at)
			     : sizeof(denied_in_emulator) / sizeof(*at);
	int ret = vmm ? add_ioctl_of_vmm(f, c->keep_admin) : 0;

	for (size_t i = 0; !ret && i < n; i++)
		ret = add_condition(f, vmm ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM),
				    &at[i]);
	for (size_t i = 0; !ret && i < sizeof(lacking) / sizeof(lacking[0]); i++) {
		int number = seccomp_syscall_resolve_name(lacking[i]);

		/* libseccomp 2.4 does not know them. */
		if (number >= 0)
			ret = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), number, 0);
	}
	return ret;
}

static int add_call(scmp_filter_ctx f, enum confine_role role, int number, enum use use)
{
	if (role == CONFINE_EMULATOR)
		return use == DENIED_IN_EMULATOR
			       ? seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), number, 0)
			       : 0;
	if (use == ALLOWED_FOR_ITSELF)
		return seccomp_rule_add(f, SCMP_ACT_ALLOW, number, 1,
					SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	return use == ALLOWED_IN_VMM ? seccomp_rule_add(f, SCMP_ACT_ALLOW, number, 0) : 0;
}

static int export_code(scmp_filter_ctx f, struct confine_filter *out)
{
	int fd = memfd_create("worldswitch-filter", MFD_CLOEXEC), ret;
	off_t bytes;

	if (fd < 0)
		return -errno;
	ret = seccomp_export_bpf(f, fd);
	bytes = ret ? 0 : lseek(fd, 0, SEEK_END);
	out->code = bytes > 0 ? malloc((size_t)bytes) : NULL;
	if (out->code && pread(fd, out->code, (size_t)bytes, 0) == bytes)
		out->n = (unsigned short)((size_t)bytes / sizeof(*out->code));
	else if (!ret)
		ret = -ENOMEM;
	close(fd);
	return ret;
}

int confine_filter_build(const struct confine *c, const char *program,
			 struct confine_filter *out)
{
	scmp_filter_ctx f = seccomp_init(c->role == CONFINE_VMM ? SCMP_ACT_ERRNO(EPERM)
								: SCMP_ACT_ALLOW);
	int ret = f ? 0 : -ENOMEM;

	*out = (struct confine_filter){ .code = NULL };
	/* A binary search, where libseccomp offers it (2.5). */
	if (!ret)
		(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; !ret && i < sizeof(calls) / sizeof(calls[0]); i++) {
		int number = seccomp_syscall_resolve_name(calls[i].name);

		if (number >= 0)
			ret = add_call(f, c->role, number, calls[i].use);
	}
	if (!ret)
		ret = add_conditions(f, c);
	if (!ret && program)
		ret = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(execve), 1,
				       SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)program));
	if (!ret)
		ret = export_code(f, out);
	if (f)
		seccomp_release(f);
	if (ret) {
		free(out->code);
		out->code = NULL;
	}
	return ret;
}
