/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filters of system calls, by libseccomp from confine_calls.def. */
#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdlib.h>
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

int confine_filter_build(enum confine_role role, const char *program,
			 struct confine_filter *out)
{
	scmp_filter_ctx f = seccomp_init(role == CONFINE_VMM ? SCMP_ACT_ERRNO(EPERM)
							     : SCMP_ACT_ALLOW);
	int ret = f ? 0 : -ENOMEM;

	*out = (struct confine_filter){ .code = NULL };
	/* A binary search, where libseccomp offers it (2.5). */
	if (!ret)
		(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; !ret && i < sizeof(calls) / sizeof(calls[0]); i++) {
		int number = seccomp_syscall_resolve_name(calls[i].name);

		if (number >= 0)
			ret = add_call(f, role, number, calls[i].use);
	}
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
