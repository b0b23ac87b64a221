/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the lab's kernels, modules and initramfs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/initramfs.h"
#include "host/targets/lab/kernel.h"
#include "host/targets/lab/lab.h"
#include "host/targets/lab/emulator.h"

/* A temporary folder for each test, removed with its contents. */
static char folder[] = "/tmp/unit_lab.XXXXXX";

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

static void write_file(const char *name, const void *data, size_t bytes)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	cr_assert_not_null(f, "%s", path);
	cr_assert_eq(fwrite(data, 1, bytes, f), bytes);
	cr_assert_eq(fclose(f), 0);
}

static void make_kernel(const char *release)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, release);
	cr_assert_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/vmlinuz", release);
	write_file(path, "", 0);
}

TestSuite(kernels, .init = make_folder, .fini = remove_folder);

Test(kernels, the_newest_is_by_version_number)
{
	char release[NAME_MAX + 1], path[256];

	make_kernel("6.1.0-9-cloud-amd64");
	make_kernel("6.1.0-56-cloud-amd64");
	cr_assert_eq(lab_kernel_newest(folder, release), 0);
	cr_expect_str_eq(release, "6.1.0-56-cloud-amd64");
	make_kernel("6.1.0-120-cloud-amd64");
	make_kernel("6.2.0-3-cloud-amd64");
	make_kernel("6.12.99+deb12-cloud-amd64");
	make_kernel("6.12.100+deb12-cloud-amd64");
	cr_assert_eq(lab_kernel_newest(folder, release), 0);
	cr_expect_str_eq(release, "6.12.100+deb12-cloud-amd64");

	/* Incomplete kernels, links and folders without a kernel are ignored. */
	make_kernel(".new.AbCdEf");
	make_kernel("newest-7.0-cloud");
	snprintf(path, sizeof(path), "%s/7.0.0-1-cloud-amd64", folder);
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_assert_eq(lab_kernel_newest(folder, release), 0);
	cr_expect_str_eq(release, "6.12.100+deb12-cloud-amd64");
}

Test(kernels, no_kernel)
{
	char release[NAME_MAX + 1];

	cr_expect_eq(lab_kernel_newest(folder, release), -ENOENT);
	cr_expect_eq(lab_kernel_newest("/nonexistent", release), -ENOENT);
}

Test(kernels, an_image_is_identified_by_its_magic)
{
	unsigned char x86_64[LAB_KERNEL_HEAD_BYTES] = "MZ";
	unsigned char aarch64[LAB_KERNEL_HEAD_BYTES] = "MZ";
	unsigned char zboot[LAB_KERNEL_HEAD_BYTES] = "MZ\0\0zimg";
	const unsigned char gzip[LAB_KERNEL_HEAD_BYTES] = "\x1f\x8b";
	const size_t n = LAB_KERNEL_HEAD_BYTES;
	const char *what = "";

	memcpy(x86_64 + 0x202, "HdrS", 4);
	memcpy(aarch64 + 0x38, "ARM\x64", 4);
	cr_expect_eq(lab_kernel_check(ARCH_X86_64, x86_64, n, &what), 0);
	cr_expect_eq(lab_kernel_check(ARCH_AARCH64, aarch64, n, &what), 0);
	cr_expect_eq(lab_kernel_check(ARCH_AARCH64, gzip, n, &what), 0);
	cr_expect_eq(lab_kernel_check(ARCH_X86_64, gzip, n, &what), -EINVAL);
	cr_expect_eq(lab_kernel_check(ARCH_X86_64, aarch64, n, &what), -EINVAL);
	cr_expect_str_eq(what, "it is a kernel for aarch64");
	cr_expect_eq(lab_kernel_check(ARCH_AARCH64, x86_64, n, &what), -EINVAL);
	cr_expect_str_eq(what, "it is a kernel for x86_64");
	cr_expect_eq(lab_kernel_check(ARCH_AARCH64, zboot, n, &what), -EINVAL);
	cr_expect_not_null(strstr(what, "zboot"));
	/* Truncated within the magic. */
	cr_expect_eq(lab_kernel_check(ARCH_X86_64, x86_64, 0x205, &what), -EINVAL);
	cr_expect_eq(lab_kernel_check(ARCH_AARCH64, aarch64, 0, &what), -EINVAL);
}

TestSuite(modules, .init = make_folder, .fini = remove_folder);

static const char amd[] = "\x7f"
			  "ELF\0license=GPL\0depends=kvm,ccp\0name=kvm_amd";
static const char kvm[] = "\x7f"
			  "ELF\0xdepends=wrong\0depends=irqbypass\0name=kvm";
static const char leaf[] = "\x7f"
			   "ELF\0depends=\0name=leaf";

Test(modules, built_in_modules_are_not_read)
{
	static const char list[] = "kernel/arch/x86/kvm/kvm.ko\n"
				   "kernel/arch/x86/kvm/kvm_amd.ko";
	struct lab_modules mods = { .n = 0 };
	struct error err = { "" };

	write_file("modules.builtin", list, sizeof(list) - 1);
	cr_expect_eq(lab_modules_read(folder, "kvm-amd", &mods, &err), 0, "%s", err.text);
	cr_expect_eq(mods.n, 0);
	/* Only the exact name matches, not a name with that suffix. */
	cr_expect_eq(lab_modules_read(folder, "kvm-intel", &mods, &err), -ENOENT);
	cr_expect_eq(lab_modules_read(folder, "amd", &mods, &err), -ENOENT);
	lab_modules_free(&mods);
}

Test(modules, each_follows_its_dependencies)
{
	static const char *const order[] = { "irqbypass", "kvm", "ccp", "kvm-amd" };
	struct lab_modules mods = { .n = 0 };
	struct error err = { "" };

	write_file("kvm_amd.ko", amd, sizeof(amd)); /* an underscore also matches */
	write_file("kvm.ko", kvm, sizeof(kvm));
	write_file("ccp.ko", leaf, sizeof(leaf));
	write_file("irqbypass.ko", leaf, sizeof(leaf));
	cr_assert_eq(lab_modules_read(folder, "kvm-amd", &mods, &err), 0, "%s", err.text);
	cr_assert_eq(mods.n, 4);
	for (size_t i = 0; i < 4; i++)
		cr_expect_str_eq(mods.list[i].name, order[i]);
	cr_expect_eq(mods.list[3].bytes, sizeof(amd));
	cr_expect_arr_eq(mods.list[3].data, amd, sizeof(amd));
	lab_modules_free(&mods);
}

/* A missing optional module is not an error, and it is not loaded at the start. */
Test(modules, an_optional_module_is_included)
{
	struct lab_modules mods = { .n = 0 };
	struct lab_initramfs what = { .program = (const uint8_t *)"" };
	struct lab_cpio archive = { .data = NULL };
	struct error err = { "" };

	cr_expect_eq(lab_modules_read_optional(folder, "leaf", &mods, &err), 0);
	cr_expect_eq(mods.n, 0);
	write_file("leaf.ko", leaf, sizeof(leaf));
	write_file("irqbypass.ko", leaf, sizeof(leaf));
	cr_expect_eq(lab_modules_read(folder, "irqbypass", &mods, &err), 0);
	cr_expect_eq(lab_modules_read_optional(folder, "leaf", &mods, &err), 0);
	cr_assert_eq(mods.n, 2);
	cr_expect(!mods.list[0].optional && mods.list[1].optional);
	what.modules = &mods;
	cr_assert_eq(lab_initramfs_build(&what, &archive), 0);
	cr_expect_not_null(memmem(archive.data, archive.bytes, "optional.ko", 11));
	cr_expect_not_null(memmem(archive.data, archive.bytes, "irqbypass\n", 10));
	cr_expect_null(memmem(archive.data, archive.bytes, "leaf\n", 5));
	free(archive.data);
	lab_modules_free(&mods);
}

Test(modules, a_missing_module_is_named)
{
	struct lab_modules mods = { .n = 0 };
	struct error err = { "" };

	cr_expect_eq(lab_modules_read(folder, "kvm-amd", &mods, &err), -ENOENT);
	cr_expect_not_null(strstr(err.text, "no module kvm-amd.ko in"), "%s", err.text);
	write_file("kvm-amd.ko", amd, sizeof(amd));
	write_file("kvm.ko", kvm, sizeof(kvm));
	cr_expect_eq(lab_modules_read(folder, "kvm-amd", &mods, &err), -ENOENT);
	cr_expect_not_null(strstr(err.text, "irqbypass.ko"), "%s", err.text);
	write_file("irqbypass.ko.xz", leaf, sizeof(leaf));
	cr_expect_eq(lab_modules_read(folder, "kvm-amd", &mods, &err), -ENOENT);
	cr_expect_not_null(strstr(err.text, "compressed"), "%s", err.text);
	lab_modules_free(&mods);
}

Test(modules, circular_dependencies_end)
{
	static const char a[] = "\0depends=b", b[] = "\0depends=a";
	struct lab_modules mods = { .n = 0 };
	struct error err = { "" };

	write_file("a.ko", a, sizeof(a));
	write_file("b.ko", b, sizeof(b));
	cr_expect_eq(lab_modules_read(folder, "a", &mods, &err), -ELOOP);
	lab_modules_free(&mods);
}

Test(modules, truncated_modinfo_is_ignored)
{
	static const char open_end[] = { '\0', 'k', '=', 'v' };

	cr_expect_str_eq(lab_module_info((const uint8_t *)kvm, sizeof(kvm), "depends="),
			 "irqbypass");
	cr_expect_null(lab_module_info((const uint8_t *)kvm, sizeof(kvm), "author="));
	cr_expect_null(lab_module_info((const uint8_t *)open_end, 4, "k="));
	cr_expect_null(lab_module_info((const uint8_t *)"k=v", 4, "k="));
}

Test(modules, parameters_come_from_the_kernels_command_line)
{
	char p[64];

	lab_module_parameters("quiet kvm.x=1 kvm_amd.npt=0 kvm-amd.avic=1 kvm_amdx.y=2\n",
			      "kvm-amd", p, sizeof(p));
	cr_expect_str_eq(p, "npt=0 avic=1");
	lab_module_parameters("quiet kvm_amd.", "kvm-amd", p, sizeof(p));
	cr_expect_str_eq(p, "");
	lab_module_parameters("m.abcdefgh=1 m.b=2", "m", p, 6);
	cr_expect_lt(strlen(p), 6);
}

/* Field number `field` of the newc header at `p`. */
static unsigned long field(const uint8_t *p, int number)
{
	char hex[9] = "";

	memcpy(hex, p + 6 + 8 * number, 8);
	return strtoul(hex, NULL, 16);
}

Test(initramfs, an_archive_is_newc_to_the_byte)
{
	static const char want[] =
		"07070100000001000041ed0000000000000000000000020000000000000000"
		"000000000000000000000000000000000000000200000000d\0" /* padded */
		"07070100000002000081a40000000000000000000000010000000000000003"
		"000000000000000000000000000000000000000400000000d/f\0\0\0"
		"abc\0";
	struct lab_cpio c = { .data = NULL };

	lab_cpio_dir(&c, "d");
	lab_cpio_file(&c, "d/f", 0644, "abc", 3);
	cr_assert_eq(c.bytes, sizeof(want) - 1);
	cr_expect_arr_eq(c.data, want, sizeof(want) - 1);
	cr_assert_eq(lab_cpio_end(&c), 0);
	cr_expect_eq(c.bytes % 4, 0);
	cr_expect_str_eq((char *)c.data + sizeof(want) - 1 + 110, "TRAILER!!!");
	free(c.data);
}

Test(initramfs, equal_content_has_equal_bytes)
{
	struct lab_modules mods = { .list = { { "kvm", (uint8_t *)"ELF", 3 } }, .n = 1 };
	struct lab_initramfs what = {
		.program = (const uint8_t *)"program",
		.program_bytes = 7,
		.modules = &mods,
	};
	struct lab_cpio c[3] = { { .data = NULL } };
	static const char *const want[] = {
		"dev",	      "dev/console", "proc",	       "sys",
		"tmp",	      "modules",     "modules/kvm.ko", "optional.ko",
		"load-order", "init",	     "TRAILER!!!"
	};
	size_t i = 0;

	cr_assert_eq(lab_initramfs_build(&what, &c[0]), 0);
	cr_assert_eq(lab_initramfs_build(&what, &c[1]), 0);
	what.program = (const uint8_t *)"Program";
	cr_assert_eq(lab_initramfs_build(&what, &c[2]), 0);
	cr_assert_eq(c[0].bytes, c[1].bytes);
	cr_expect_arr_eq(c[0].data, c[1].data, c[0].bytes);
	cr_assert_eq(c[0].bytes, c[2].bytes);
	cr_expect_arr_neq(c[0].data, c[2].data, c[0].bytes);

	for (uint8_t *p = c[0].data; p < c[0].data + c[0].bytes; i++) {
		unsigned long mode = field(p, 1), bytes = field(p, 6);
		unsigned long name = field(p, 11);

		cr_assert_lt(i, sizeof(want) / sizeof(want[0]));
		cr_expect_str_eq((char *)p + 110, want[i]);
		cr_expect_eq(field(p, 5), 0, "no time");
		if (!strcmp(want[i], "init"))
			cr_expect_eq(mode, 0100755);
		if (!strcmp(want[i], "dev/console"))
			cr_expect(mode == 020600 && field(p, 9) == 5 &&
				  field(p, 10) == 1);
		p += (110 + name + 3) / 4 * 4 + (bytes + 3) / 4 * 4;
	}
	cr_expect_eq(i, sizeof(want) / sizeof(want[0]));
	for (i = 0; i < 3; i++)
		free(c[i].data);
}

/* The size does not depend on the optional module and on the build of the program. */
Test(initramfs, has_a_fixed_size)
{
	static const uint8_t program[300000], module[70000] = "ELF";
	struct lab_modules none = { .n = 0 };
	struct lab_modules one = {
		.list = { { "extra", (uint8_t *)(uintptr_t)module, sizeof(module),
			    true } },
		.n = 1,
	};
	const struct lab_initramfs what[2] = {
		{ .program = program, .program_bytes = 7, .modules = &none },
		{ .program = program, .program_bytes = 300000, .modules = &one },
	};
	struct lab_cpio c[2] = { { .data = NULL } };

	for (int i = 0; i < 2; i++)
		cr_assert_eq(lab_initramfs_build(&what[i], &c[i]), 0);
	cr_expect_eq(c[0].bytes, c[1].bytes);
	free(c[0].data);
	free(c[1].data);
}

/* By way of a file, as the host writes the archive, its content is that of the archive in
 * memory. */
Test(initramfs, a_program_can_come_from_a_file, .init = make_folder,
     .fini = remove_folder)
{
	static uint8_t program[300001];
	struct lab_modules mods = { .list = { { "kvm", (uint8_t *)"ELF", 3 } }, .n = 1 };
	struct lab_initramfs what = { .program_bytes = sizeof(program),
				      .modules = &mods };
	struct lab_cpio c[2] = { { .data = NULL } };
	struct error err = { "" };
	char path[256];
	uint8_t *content;
	size_t bytes;
	int from, fd;

	for (size_t i = 0; i < sizeof(program); i++)
		program[i] = (uint8_t)(i * 251 >> 3);
	write_file("init", program, sizeof(program));
	snprintf(path, sizeof(path), "%s/init", folder);
	from = lab_file_open(path, "program", &bytes, &err);
	cr_assert(from >= 0 && bytes == sizeof(program), "%s", err.text);
	cr_assert_eq(lab_initramfs_build(&what, &c[0]), 0);
	what.program = program;
	cr_assert_eq(lab_initramfs_build(&what, &c[1]), 0);
	cr_assert_eq(c[0].bytes, c[1].bytes);
	cr_assert_eq(c[0].program_at, c[1].program_at);

	const struct lab_part parts[] = {
		{ .fd = -1, .data = c[0].data, .bytes = c[0].program_at },
		{ .fd = from, .bytes = bytes },
		{ .fd = -1, .bytes = c[0].program_end - c[0].program_at - bytes },
		{ .fd = -1,
		  .data = c[0].data + c[0].program_end,
		  .bytes = c[0].bytes - c[0].program_end },
	};
	fd = lab_memory_file_of("archive", parts, 4);
	cr_assert_geq(fd, 0);
	cr_assert_eq(lseek(fd, 0, SEEK_END), (off_t)c[1].bytes);
	cr_assert_eq(lab_file_content(fd, &content, c[1].bytes), 0);
	cr_expect_arr_eq(content, c[1].data, c[1].bytes);
	free(content);
	close(fd);

	/* A program that has become shorter since it was opened. */
	cr_assert_eq(truncate(path, 1000), 0);
	cr_expect_eq(lab_memory_file_of("archive", parts, 4), -EIO);
	cr_expect_eq(lab_file_content(from, &content, bytes), -EIO);
	cr_expect_null(content);
	close(from);
	for (int i = 0; i < 2; i++)
		free(c[i].data);
}

Test(initramfs, a_program_that_is_overwritten_is_noticed, .init = make_folder,
     .fini = remove_folder)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct lab_state s = { .program = -1 };
	struct error err = { "" };
	char path[256];

	write_file("init", "program", 7);
	snprintf(path, sizeof(path), "%s/init", folder);
	s.program = lab_file_open(path, "program", &s.program_bytes, &err);
	cr_assert_geq(s.program, 0);
	cr_assert_eq(futimens(s.program, times), 0);
	s.program_time.tv_sec = 1;
	cr_expect_eq(lab_program_check(&s, &err), 0);
	write_file("init", "PROGRAM", 7); /* the same size */
	cr_expect_eq(lab_program_check(&s, &err), -ESTALE);
	cr_expect_not_null(strstr(err.text, "was overwritten"));
	/* Another file of the same name is not what is open. */
	cr_assert_eq(futimens(s.program, times), 0);
	cr_assert_eq(unlink(path), 0);
	write_file("init", "another", 7);
	cr_expect_eq(lab_program_check(&s, &err), 0);
	close(s.program);
}

/* What Linux 6.1 printed on lab:x86_64-svm with spec_store_bypass_disable=on, shortened.
 */
#define OOPS                                                                                 \
	"[    0.281274] BUG: kernel NULL pointer dereference, address: 0000000000000008\r\n" \
	"[    0.293327] #PF: error_code(0x0002) - not-present page\r\n"                      \
	"[    0.303498] Oops: 0002 [#1] PREEMPT SMP NOPTI\r\n"                               \
	"[    0.317536] RIP: 0010:_raw_spin_lock+0x13/0x30\r\n"                              \
	"[    0.321936] Code: b1 17 75 05 e9 ce 94 3e 00 <3e> 0f b1 17\r\n"                  \
	"[    0.401745] Call Trace:\r\n"                                                     \
	"[    0.404159]  <TASK>\r\n"                                                         \
	"[    0.406228]  speculation_ctrl_update+0xb6/0x1c0\r\n"                             \
	"[    0.410713]  svm_vcpu_run+0x37c/0x6c0 [kvm_amd]\r\n"                             \
	"[    0.425233]  ? srso_return_thunk+0x5/0x10\r\n"                                   \
	"[    0.420658]  kvm_vcpu_ioctl+0x25e/0x720 [kvm]\r\n"                               \
	"[    0.429204]  __x64_sys_ioctl+0x90/0xd0\r\n"
#define OOPS_SUMMARY                                                                     \
	"BUG: kernel NULL pointer dereference, address: 0000000000000008, at "           \
	"_raw_spin_lock+0x13/0x30"
#define OOPS_CALLERS                                                                     \
	", called from speculation_ctrl_update+0xb6/0x1c0, "                             \
	"svm_vcpu_run+0x37c/0x6c0 [kvm_amd], kvm_vcpu_ioctl+0x25e/0x720 [kvm], "         \
	"__x64_sys_ioctl+0x90/0xd0"

/* The crash in a console's text; "": none. */
static const char *crash_of(const char *text, bool ended)
{
	static char line[512];
	struct lab_tail t = { .bytes = 0 };
	bool l1;

	lab_tail_add(&t, text, strlen(text));
	return lab_tail_crash(&t, ended, &l1, line, sizeof(line)) ? line : "";
}

/* Whether that is L1's kernel. */
static bool is_l1(const char *text, bool ended)
{
	struct lab_tail t = { .bytes = 0 };
	bool l1 = false;
	char line[512];

	lab_tail_add(&t, text, strlen(text));
	cr_expect_not_null(lab_tail_crash(&t, ended, &l1, line, sizeof(line)));
	return l1;
}

Test(crash, an_oops_is_one_line_with_its_callers)
{
	cr_expect_str_eq(crash_of(OOPS, false), "", "its end is still to come");
	cr_expect_str_eq(crash_of(OOPS, true), OOPS_SUMMARY OOPS_CALLERS);
	cr_expect_str_eq(crash_of(OOPS "[    0.505863]  </TASK>\n", false),
			 OOPS_SUMMARY OOPS_CALLERS);
	/* With CONFIG_PRINTK_CALLER. */
	cr_expect_str_eq(
		crash_of("[    0.4][   T80] kernel BUG at a.c:1!\n"
			 "[    0.4][   T80] Oops: invalid opcode: 0000 [#1] SMP\n"
			 "[    0.4][   T80] RIP: 0010:f+0x1/0x2\n"
			 "[    0.4][   T80] Call Trace:\n[    0.4][   T80]  <TASK>\n"
			 "[    0.4][   T80]  g+0x1/0x2 [kvm]\n"
			 "[    0.4][   T80]  </TASK>\n",
			 false),
		"kernel BUG at a.c:1!, at f+0x1/0x2, called from g+0x1/0x2 [kvm]");
	/* Of what the kernel survived before, nothing is said. */
	cr_expect_str_eq(crash_of("BUG: scheduling while atomic: init/80\nCall Trace:\n"
				  " <TASK>\n </TASK>\n"
				  "Oops: general protection fault [#1] SMP\n </TASK>\n",
				  false),
			 "Oops: general protection fault [#1] SMP");
	/* One that the kernel cannot print to its end. */
	cr_expect_str_eq(
		crash_of(OOPS "Oops: 0000 [#2] SMP\nRIP: 0010:g+0x1/0x2\n", false),
		OOPS_SUMMARY OOPS_CALLERS);
	/* The first one: the second is its consequence. */
	cr_expect_str_eq(crash_of(OOPS
				  "[    0.5]  </TASK>\nBUG: scheduling while atomic\n"
				  "Oops: 0000 [#2] SMP\n",
				  false),
			 OOPS_SUMMARY OOPS_CALLERS);
	/* A line that is not yet whole. */
	cr_expect_str_eq(
		crash_of("BUG: soft\nOops: 0000 [#1] SMP\nRIP: 0010:f+0x1", true),
		"BUG: soft");
}

/* The forms of arch/arm64/kernel/traps.c, of BUG(), and of a general protection fault. */
Test(crash, the_forms_of_both_architectures)
{
	cr_expect_str_eq(
		crash_of("Unable to handle kernel NULL pointer dereference at virtual "
			 "address 0000000000000010\n"
			 "Mem abort info:\n"
			 "Internal error: Oops: 0000000096000004 [#1] SMP\n"
			 "pc : kvm_arch_vcpu_ioctl_run+0x1a4/0x8a0 [kvm]\n"
			 "lr : kvm_arch_vcpu_ioctl_run+0x190/0x8a0 [kvm]\n"
			 "x29: ffff80008052bc40 x28: ffff0000c0d51000\n"
			 "Call trace:\n"
			 " kvm_arch_vcpu_ioctl_run+0x1a4/0x8a0 [kvm] (P)\n"
			 " kvm_vcpu_ioctl+0x1d4/0x990 [kvm]\n"
			 " __arm64_sys_ioctl+0xb0/0xf8\n"
			 "Code: 1a9f07e0 (f9400a73)\n"
			 "---[ end trace 0000000000000000 ]---\n",
			 false),
		"Unable to handle kernel NULL pointer dereference at virtual address "
		"0000000000000010, at kvm_arch_vcpu_ioctl_run+0x1a4/0x8a0 [kvm], called from "
		"kvm_vcpu_ioctl+0x1d4/0x990 [kvm], __arm64_sys_ioctl+0xb0/0xf8");
	cr_expect_str_eq(
		crash_of("kernel BUG at arch/arm64/kvm/arm.c:123!\n"
			 "Internal error: Oops - BUG: 00000000f2000800 [#1] SMP\n"
			 "pc : f+0x8/0x10\n---[ end trace 0000000000000000 ]---\n",
			 false),
		"kernel BUG at arch/arm64/kvm/arm.c:123!, at f+0x8/0x10");
	cr_expect_str_eq(crash_of("kernel BUG at arch/x86/kvm/x86.c:123!\n"
				  "invalid opcode: 0000 [#1] PREEMPT SMP\n"
				  "RIP: 0010:kvm_spurious_fault+0x8/0x10 [kvm]\n"
				  "---[ end trace 0000000000000000 ]---\n",
				  false),
			 "kernel BUG at arch/x86/kvm/x86.c:123!, at "
			 "kvm_spurious_fault+0x8/0x10 [kvm]");
	cr_expect_str_eq(crash_of("general protection fault, probably for non-canonical "
				  "address 0xdead000000000100: 0000 [#1] SMP\n"
				  "RIP: 0010:f+0x8/0x10\n </TASK>\n",
				  false),
			 "general protection fault, probably for non-canonical address "
			 "0xdead000000000100: 0000 [#1] SMP, at f+0x8/0x10");
}

/* The kernel's watchdogs, of a loop and of a lock. */
Test(crash, a_lockup_is_one)
{
	cr_expect_str_eq(
		crash_of("watchdog: BUG: soft lockup - CPU#0 stuck for 3s! [init:80]\n"
			 "RIP: 0010:f+0x8/0x10\nCall Trace:\n <TASK>\n"
			 " g+0x1/0x2\n g+0x1/0x2\n h+0x1/0x2\n </TASK>\n",
			 false),
		"BUG: soft lockup - CPU#0 stuck for 3s! [init:80], at f+0x8/0x10, "
		"called from g+0x1/0x2, h+0x1/0x2");
}

/* Of a console that says more than is kept, the first line is a part. */
Test(crash, a_cut_first_line_is_ignored)
{
	static struct lab_tail t;
	char line[64];
	bool l1;

	for (int i = 0; i < 2000; i++)
		lab_tail_add(&t, "kernel BUG at a.c:1!\n", 21);
	lab_tail_add(&t, "Oops: 0000 [#1] SMP\n", 20);
	for (size_t i = 0; i < LAB_TAIL_BYTES - 11; i++)
		lab_tail_add(&t, "\n", 1);
	cr_expect_null(lab_tail_crash(&t, true, &l1, line, sizeof(line)), "%s", line);
}

/* L0's kernel and L1's print on one console, and their lines alternate. */
Test(crash, of_two_kernels_it_is_that_of_one)
{
	const char *const l1 = "L1: [    0.4] kernel BUG at a.c:1!\n"
			       "[    9.1] Oops: 0000 [#1] SMP\n"
			       "L1: [    0.4] Oops: invalid opcode: 0000 [#1] SMP\n"
			       "L1: [    0.4] RIP: 0010:f+0x1/0x2\n"
			       "[    9.1] RIP: 0010:h+0x1/0x2\n"
			       "L1: [    0.4] Call Trace:\n"
			       "L1: [    0.4]  g+0x1/0x2 [kvm]\n"
			       "L1: [    0.4]  </TASK>\n";
	const char *const l0 = "L1: [    0.4] BUG: scheduling while atomic\n"
			       "[    9.1] Oops: 0000 [#1] SMP\n"
			       "[    9.1] RIP: 0010:h+0x1/0x2\n"
			       "[    9.1]  </TASK>\n";
	const char *const both = "L1: Oops: 0001 [#1] SMP\nOops: 0000 [#1] SMP\n";

	cr_expect_str_eq(
		crash_of(l1, false),
		"kernel BUG at a.c:1!, at f+0x1/0x2, called from g+0x1/0x2 [kvm]");
	cr_expect(is_l1(l1, false));
	cr_expect_str_eq(crash_of(l0, false), "Oops: 0000 [#1] SMP, at h+0x1/0x2");
	cr_expect_not(is_l1(l0, false));
	/* The first one, where neither is complete. */
	cr_expect_str_eq(crash_of(both, true), "Oops: 0001 [#1] SMP");
	cr_expect(is_l1(both, true));
}

/* L0's kernel does not know that L1 is in a line. */
Test(crash, of_l0_in_an_unfinished_line_of_l1)
{
	const char *const l0 =
		"L1: [    0.412345] random: crng in[    9.123456] BUG: kernel NULL "
		"pointer dereference, address: 0000000000000008\r\n"
		"it done\n"
		"[    9.123470] Oops: 0002 [#1] SMP\n"
		"L1: a line of init [    9.123480] RIP: 0010:h+0x1/0x2\n"
		"[    9.123490]  </TASK>\n";
	const char *const l1 = "L1: [    0.412345] Oops: 0002 [#1] SMP[    9.1234] L0\n"
			       "L1: [    0.412350] RIP: 0010:f+0x1/0x2\n"
			       "L1: [    0.412360]  </TASK>\n";
	const char *const rest = "L1: [    0.412345] Oops: 0002 [#1] S[    9.123456] L0\n"
				 "L1: [    0.412350] RIP: 0010:f+0x1/0x2\n"
				 "L1: [    0.412360]  </TASK>\n";
	const char *const panic =
		"L1: [    0.412345] te[    9.123456] Kernel panic: why\n";
	const char *const own =
		"L1: [    0.412345] Kernel panic: of L1[    9.123456] random: crng\n";
	struct lab_tail t = { .bytes = 0 };
	char line[64];
	bool is_of_l1;

	cr_expect_str_eq(
		crash_of(l0, false),
		"BUG: kernel NULL pointer dereference, address: 0000000000000008, at h+0x1/0x2");
	cr_expect_not(is_l1(l0, false));
	/* Not a time of printk(). */
	cr_expect(is_l1(l1, false));
	cr_expect_str_eq(crash_of(rest, false), "Oops: 0002 [#1] S, at f+0x1/0x2");
	cr_expect(is_l1(rest, false));
	lab_tail_add(&t, panic, strlen(panic));
	cr_expect_str_eq(lab_tail_find(&t, "Kernel panic", &is_of_l1, line, sizeof(line)),
			 "Kernel panic: why");
	cr_expect_not(is_of_l1);
	lab_tail_add(&t, own, strlen(own));
	cr_expect_str_eq(lab_tail_find(&t, "Kernel panic", &is_of_l1, line, sizeof(line)),
			 "Kernel panic: of L1");
	cr_expect(is_of_l1);
}

/* Kernels of Debian's flavour rt: the number has "PREEMPT_RT", and locks sleep. */
Test(crash, of_preempt_rt)
{
	static const char atomic[] =
		"[    0.4] BUG: scheduling while atomic: init/80/0x00000002\n"
		"[    0.4] Modules linked in: kvm_amd kvm\n"
		"[    0.4] Preemption disabled at:\n"
		"[    0.4] [<ffffffffc0a1b2c3>] vcpu_enter_guest+0x1/0x2 [kvm]\n"
		"[    0.4] CPU: 0 PID: 80 Comm: init Not tainted 6.1.0-56-rt-amd64 #1\n"
		"[    0.4] Call Trace:\n[    0.4]  <TASK>\n"
		"[    0.4]  dump_stack_lvl+0x34/0x48\n[    0.4]  __schedule_bug.cold+0x7/0x8\n";
	char text[2000];

	cr_expect_str_eq(
		crash_of(
			"BUG: kernel NULL pointer dereference, address: 0000000000000008\n"
			"Oops: 0002 [#1] PREEMPT_RT SMP NOPTI\n"
			"RIP: 0010:rt_spin_lock+0x13/0x30\nCall Trace:\n <TASK>\n"
			" kvm_vcpu_kick+0x1/0x2 [kvm]\n </TASK>\n",
			false),
		"BUG: kernel NULL pointer dereference, address: 0000000000000008, at "
		"rt_spin_lock+0x13/0x30, called from kvm_vcpu_kick+0x1/0x2 [kvm]");
	cr_expect_str_eq(
		crash_of("Internal error: Oops: 0000000096000004 [#1] PREEMPT_RT SMP\n"
			 "pc : f+0x8/0x10\n---[ end trace 0000000000000000 ]---\n",
			 false),
		"Internal error: Oops: 0000000096000004 [#1] PREEMPT_RT SMP, at f+0x8/0x10");
	/* The kernel goes on, and may crash of something else. arm64 has no end of a
	 * trace. */
	cr_expect_str_eq(crash_of(atomic, true), "");
	cr_expect_str_eq(
		crash_of(
			"BUG: sleeping function called from invalid context at "
			"kernel/locking/spinlock_rt.c:48\n"
			"in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 80, name: init\n"
			"Call trace:\n rt_spin_lock+0x1/0x2\n",
			true),
		"");
	snprintf(
		text, sizeof(text), "%s%s", atomic,
		"[    0.5] Internal error: Oops - Undefined instruction: 0000000002000000 [#1] "
		"PREEMPT_RT SMP\n[    0.5] pc : f+0x8/0x10\n"
		"[    0.5] ---[ end trace 0000000000000000 ]---\n");
	cr_expect_str_eq(crash_of(text, false),
			 "Internal error: Oops - Undefined instruction: 0000000002000000 "
			 "[#1] PREEMPT_RT SMP, at f+0x8/0x10");
	/* A lock that is not released: those who wait for it, without how they wait. */
	cr_expect_str_eq(
		crash_of(
			"INFO: task init:80 blocked for more than 3 seconds.\n"
			"Call Trace:\n <TASK>\n __schedule+0x1/0x2\n"
			" schedule_rtlock+0x1/0x2\n rtlock_slowlock_locked+0x1/0x2\n"
			" rt_spin_lock+0x1/0x2\n kvm_vcpu_kick+0x1/0x2 [kvm]\n </TASK>\n",
			false),
		"INFO: task init:80 blocked for more than 3 seconds., in "
		"kvm_vcpu_kick+0x1/0x2 [kvm]");
	cr_expect_str_eq(
		crash_of("INFO: task init:80 blocked for more than 3 seconds.\n"
			 "Call Trace:\n <TASK>\n __schedule+0x1/0x2\n schedule+0x1/0x2\n"
			 " rt_mutex_slowlock_block.constprop.0+0x1/0x2\n"
			 " __rt_mutex_slowlock.constprop.0+0x1/0x2\n"
			 " mutex_lock+0x1/0x2\n f+0x1/0x2\n </TASK>\n",
			 false),
		"INFO: task init:80 blocked for more than 3 seconds., in f+0x1/0x2");
}

/* A kernel that warns goes on; so does one whose words are those of an oops only. */
Test(crash, a_warning_is_not_one)
{
	cr_expect_str_eq(crash_of("------------[ cut here ]------------\n"
				  "WARNING: CPU: 0 PID: 80 at arch/x86/kvm/x86.c:1\n"
				  "RIP: 0010:f+0x8/0x10\nCall Trace:\n <TASK>\n"
				  " g+0x1/0x2\n </TASK>\n"
				  "---[ end trace 0000000000000000 ]---\n",
				  true),
			 "");
	cr_expect_str_eq(crash_of("[#] Oops\nBUG: scheduling while atomic\n", true), "");
	cr_expect_str_eq(crash_of("", true), "");
}

Test(tail, returns_the_last_lines_without_blank_lines_and_control_characters)
{
	struct lab_tail t = { .bytes = 0 };
	const char *text = "one\r\n\r\n  \ntwo \x1b[1m\nKernel panic: why\nthree";
	char line[32];
	bool l1;

	for (int i = 0; i < 2000; i++)
		lab_tail_add(&t, "a line that will fall out\n", 26);
	lab_tail_add(&t, "\n", 1);
	lab_tail_add(&t, text, strlen(text));
	cr_expect_str_eq(lab_tail_line(&t, 0, line, sizeof(line)), "three");
	cr_expect_str_eq(lab_tail_line(&t, 2, line, sizeof(line)), "two \\x1b[1m");
	cr_expect_str_eq(lab_tail_line(&t, 3, line, sizeof(line)), "one");
	cr_expect_str_eq(lab_tail_line(&t, 4, line, 7), "a line");
	cr_expect_null(lab_tail_line(&t, 100000, line, sizeof(line)));
	cr_expect_str_eq(lab_tail_find(&t, "panic: ", &l1, line, sizeof(line)),
			 "panic: why");
	cr_expect_not(l1);
	lab_tail_add(&t, "\nL1: Kernel panic: not why\n", 27);
	cr_expect_str_eq(lab_tail_find(&t, "panic: ", &l1, line, sizeof(line)),
			 "panic: not why");
	cr_expect(l1);
	cr_expect_null(lab_tail_find(&t, "absent", NULL, line, sizeof(line)));
}

/* As in a service: the cache is that of the user, not a folder below /. */
Test(lab, the_cache_without_home_is_the_users)
{
	const struct passwd *user = getpwuid(geteuid());
	char path[PATH_MAX], expected[PATH_MAX], script[PATH_MAX] = "";
	FILE *shell;

	cr_assert_not_null(user);
	unsetenv("WORLDSWITCH_CACHE");
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
	snprintf(expected, sizeof(expected), "%s/.cache/worldswitch", user->pw_dir);
	/* The scripts use the same folder. */
	shell = popen("bash -uc '. scripts/places.sh; cache_dir'", "r");
	cr_assert_not_null(shell);
	cr_assert_not_null(fgets(script, sizeof(script), shell));
	cr_expect_eq(pclose(shell), 0);
	script[strcspn(script, "\n")] = '\0';
	cr_expect_str_eq(script, expected);
	snprintf(expected, sizeof(expected), "%s/.cache/worldswitch/baselines",
		 user->pw_dir);
	lab_baselines_folder(path);
	cr_expect_str_eq(path, expected);
	setenv("HOME", "", 1);
	lab_baselines_folder(path);
	cr_expect_str_eq(path, expected);
}
