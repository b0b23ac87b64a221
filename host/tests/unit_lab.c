/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the lab's kernels, modules, initramfs and command lines. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/error.h"
#include "host/targets/bare.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/initramfs.h"
#include "host/targets/lab/kernel.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/l1.h"

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

/* After a test that has changed PATH. */
static void remove_folder_in(const char *path)
{
	setenv("PATH", path, 1);
	remove_folder();
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

/* A folder of emulators with fetched versions of QEMU, two of them in two builds. */
static void make_emulators(void)
{
	static const char *const files[] = {
		"qemu-9.2.1+ds-1/bin/qemu-system-aarch64",
		"qemu-9.2.1+ds-1/bin/qemu-system-x86_64",
		"qemu-10.0.2+ds-2/bin/qemu-system-aarch64",
		"qemu-10.0.11+ds-1/bin/qemu-system-aarch64",
		"qemu-11.0.0~rc2+ds-1/bin/qemu-system-aarch64",
		"qemu-11.0.0+ds-1/bin/qemu-system-aarch64",
		"mine/qemu-system-aarch64",
	};
	char command[512];

	make_folder();
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(
			command, sizeof(command),
			"f=%s/%s; mkdir -p ${f%%/*}; echo 'echo QEMU emulator version 8.1.2' >$f; chmod 755 $f",
			folder, files[i]);
		cr_assert_eq(system(command), 0);
	}
	setenv("WORLDSWITCH_EMULATORS", folder, 1);
	snprintf(command, sizeof(command), "%s/mine", folder);
	setenv("PATH", command, 1);
}

/* The file below the folder that a name selects; NULL: none. */
static const char *selected(const char *name)
{
	static char path[PATH_MAX];
	struct error err;
	int ret = lab_qemu_select(name, "qemu-system-aarch64", path, &err);

	if (ret == -ENOEXEC) {
		cr_expect_not_null(strstr(err.text, name), "%s", err.text);
		cr_expect_not_null(strstr(err.text, "(here: system, 9.2.1+ds-1, "
						    "10.0.2+ds-2, 10.0.11+ds-1, "
						    "11.0.0~rc2+ds-1, 11.0.0+ds-1;"),
				   "%s", err.text);
		return NULL;
	}
	cr_assert_eq(ret, 0);
	cr_assert_eq(strncmp(path, folder, strlen(folder)), 0, "%s", path);
	return path + strlen(folder);
}

TestSuite(emulators, .init = make_emulators);

Test(emulators, a_version_in_part_is_the_newest_of_its_kind)
{
	cr_expect_str_eq(selected("10.0"), "/qemu-10.0.11+ds-1/bin/qemu-system-aarch64");
	cr_expect_str_eq(selected("10"), "/qemu-10.0.11+ds-1/bin/qemu-system-aarch64");
	cr_expect_str_eq(selected("11.0"), "/qemu-11.0.0+ds-1/bin/qemu-system-aarch64");
	cr_expect_str_eq(selected("10.0.2"), "/qemu-10.0.2+ds-2/bin/qemu-system-aarch64");
	cr_expect_str_eq(selected("9.2.1+ds-1"),
			 "/qemu-9.2.1+ds-1/bin/qemu-system-aarch64");
	cr_expect_str_eq(selected("system"), "/mine/qemu-system-aarch64");
	cr_expect_str_eq(selected("8.1"), "/mine/qemu-system-aarch64");
	for (const char *const *name = (const char *const[]){ "1", "10.", "10.0.1", "9.9",
							      "", "qemu", NULL };
	     *name; name++)
		cr_expect_null(selected(*name), "%s", *name);
	remove_folder_in("/usr/bin:/bin");
}

Test(emulators, a_path_is_a_folder_or_the_program)
{
	char path[PATH_MAX], other[PATH_MAX];
	struct error err;

	snprintf(path, sizeof(path), "%s/mine", folder);
	cr_expect_str_eq(selected(path), "/mine/qemu-system-aarch64");
	snprintf(path, sizeof(path), "%s/mine/qemu-system-aarch64", folder);
	cr_expect_str_eq(selected(path), "/mine/qemu-system-aarch64");
	snprintf(path, sizeof(path), "%s/qemu-9.2.1+ds-1", folder);
	cr_expect_str_eq(selected(path), "/qemu-9.2.1+ds-1/bin/qemu-system-aarch64");
	cr_expect_null(selected(folder));
	/* The emulator of another architecture. */
	snprintf(path, sizeof(path), "%s/mine/qemu-system-aarch64", folder);
	cr_expect_eq(lab_qemu_select(path, "qemu-system-x86_64", other, &err), -ENOEXEC);
	remove_folder_in("/usr/bin:/bin");
}

/* A lab with a least version of QEMU uses the system's (here 8.1.2) if it is new enough.
 */
Test(emulators, a_least_version_selects_the_system_or_the_newest_fetched)
{
	static const char program[] = "qemu-system-aarch64";
	char path[PATH_MAX];

	cr_expect_eq(lab_qemu_newer(8, program, path), 0);
	cr_expect_str_eq(path + strlen(folder), "/mine/qemu-system-aarch64");
	cr_expect_eq(lab_qemu_major(path), 8);
	cr_expect_eq(lab_qemu_newer(9, program, path), 0);
	cr_expect_str_eq(path + strlen(folder),
			 "/qemu-11.0.0+ds-1/bin/qemu-system-aarch64");
	cr_expect_eq(lab_qemu_newer(12, program, path), -ENOENT);
	/* The newest one may lack the program of this architecture. */
	cr_expect_eq(lab_qemu_newer(9, "qemu-system-x86_64", path), 0);
	cr_expect_str_eq(path + strlen(folder),
			 "/qemu-9.2.1+ds-1/bin/qemu-system-x86_64");
	cr_expect_eq(lab_qemu_newer(9, "qemu-system-vax", path), -ENOENT);
	cr_expect_eq(lab_qemu_major(folder), 0);
	remove_folder_in("/usr/bin:/bin");
}

/* Programs without the library's name, as a static QEMU: by what they do. */
Test(emulators, a_static_qemu_is_started_to_see_whether_it_has_a_sandbox)
{
	cr_expect(bare_qemu_has_sandbox("/bin/true"));
	cr_expect_not(bare_qemu_has_sandbox("/bin/false"));
	cr_expect_not(bare_qemu_has_sandbox("/no/such/program"));
}

Test(plugins, the_version_of_qemu_decides_the_interface)
{
	static const struct {
		const char *version;
		unsigned int api;
	} rows[] = {
		{ "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)", 1 },
		{ "QEMU emulator version 8.2.0", 1 },
		{ "QEMU emulator version 9.0.4", 2 },
		{ "QEMU emulator version 9.1.0", 3 },
		{ "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2~bpo12+1)", 3 },
		{ "QEMU emulator version 11.0.50", 3 },
		{ "QEMU emulator version 11.1.3", 7 },
		{ "QEMU emulator version 12.0.0", 7 },
		{ "QEMU emulator version 5.2.0", 0 },
		{ "Bochs x86 Emulator 2.7", 0 },
		{ "", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(lab_qemu_plugin_api(rows[i].version), rows[i].api, "%s",
			     rows[i].version);
}

Test(machines, append_comes_last_on_the_kernel_command_line)
{
	for (const struct lab_machine *m = lab_machine_table; m->name; m++) {
		char **argv;
		size_t n = 0;
		const char *append;

		cr_expect_eq(lab_machine_find(m->name), m);
		if (m->emulator != &lab_qemu)
			continue;
		argv = lab_machine_argv(m, "/usr/bin/emu", "/k", "loglevel=8 x=y", NULL,
					LAB_ARGV_SANDBOX);
		cr_assert_not_null(argv);
		while (argv[n])
			n++;
		cr_assert_gt(n, 4);
		cr_expect_str_eq(argv[0], "/usr/bin/emu");
		cr_expect_str_eq(argv[n - 4], "-kernel");
		cr_expect_str_eq(argv[n - 3], "/k");
		cr_expect_str_eq(argv[n - 2], "-append");
		append = argv[n - 1];
		cr_assert_gt(strlen(append), 15);
		cr_expect_str_eq(append + strlen(append) - 15, " loglevel=8 x=y");
		cr_expect_eq(strncmp(append, m->append, strlen(m->append)), 0);
		/* Otherwise user exits have two lengths from Linux 6.18 on. */
		for (size_t i = 0; i < 2 && m->arch == ARCH_AARCH64; i++)
			cr_expect_not_null(strstr(append, i ? "wfe_trap_policy=notrap "
							    : "wfi_trap_policy=trap "));
		free(argv);
	}
	cr_expect_null(lab_machine_find("vax"));
}

/* Of QEMU: the machine and the file of its memory. L0 has L1's memory beside its own. */
Test(machines, memory_is_that_of_the_file)
{
	char size[32];

	for (const struct lab_machine *m = lab_machine_table; m->name; m++) {
		const char *mib = lab_machine_memory_mib(m);
		unsigned int flags = 0, objects = 0;
		char **argv;

		cr_expect(atoi(mib) > (m->l1 ? (int)(LAB_L1_RAM_BYTES >> 20) : 0));
		if (m->emulator != &lab_qemu)
			continue;
		argv = lab_machine_argv(m, "/emu", "/k", NULL, NULL, 0);
		cr_assert_not_null(argv);
		snprintf(size, sizeof(size), "id=ram,size=%sM,", mib);
		for (char **a = argv; *a; a++) {
			flags += !strcmp(*a, "-m") && !strcmp(a[1], mib);
			objects += strstr(*a, size) != NULL;
		}
		cr_expect(flags == 1 && objects == 1, "%s", m->name);
		free(argv);
	}
}

/* The kernel that is measured in such a lab is L1's. */
Test(machines, append_is_for_the_kernel_of_l1)
{
	static const char *const pairs[][2] = { { "x86_64-svm-l1", "x86_64-svm" },
						{ "x86_64-vmx-l1", "x86_64-vmx" } };

	for (int i = 0; i < 2; i++) {
		const struct lab_machine *l1 = lab_machine_find(pairs[i][0]);
		const struct lab_machine *l0 = lab_machine_find(pairs[i][1]);

		cr_assert(l1 && l1->l1 && l0 && !l0->l1);
		cr_expect_str_eq(lab_append_begin(l1, "x=y"), " -- ");
		cr_expect_str_eq(lab_append_begin(l0, "x=y"), " ");
		cr_expect_str_eq(lab_append_begin(l1, NULL), "");
		cr_expect_str_eq(l1->append, l0->append);
	}
}

/* The way back to the boot of an unchanged kernel, in every lab. */
Test(machines, a_whole_kernel_has_all_initcalls)
{
	for (const struct lab_machine *m = lab_machine_table; m->name; m++) {
		char line[4096];

		snprintf(line, sizeof(line), "%s x=y", m->append);
		lab_keep_initcalls(line);
		cr_expect_not_null(strstr(line, " initcall_blacklist="), "%s", m->name);
		snprintf(line, sizeof(line), "%s x=y wsbench.whole=1", m->append);
		lab_keep_initcalls(line);
		cr_expect_null(strstr(line, "initcall"), "%s", m->name);
		cr_expect_not_null(strstr(line, "random.trust_cpu=on"));
		cr_expect_str_eq(line + strlen(line) - 20, " x=y wsbench.whole=1");
	}
}

/* Whole words of L0's part only, each time; L1's own part stays as it is. */
Test(machines, the_kernel_of_l1_has_its_own_parameters)
{
	static const char *const omit[] = { " nokaslr", " mode=nested", NULL };
	static const struct lab_l1_words words = { .add = " reboot=t", .omit = omit };
	static const struct lab_l1_words none = { .add = "", .omit = omit + 2 };
	static const struct {
		const char *l0, *l1;
		const struct lab_l1_words *words;
	} rows[] = {
		{ "a nokaslr b", "a b reboot=t " LAB_L1_WORD "6.1 ", &words },
		{ "a mode=nested nokaslr", "a reboot=t " LAB_L1_WORD "6.1 ", &words },
		{ "a nokaslr nokaslr\n", "a reboot=t " LAB_L1_WORD "6.1 ", &words },
		{ "a nokaslrs nokaslr mode=nested=1 xnokaslr",
		  "a nokaslrs mode=nested=1 xnokaslr reboot=t " LAB_L1_WORD "6.1 ",
		  &words },
		{ "nokaslr -- nokaslr x=y\n",
		  "nokaslr reboot=t " LAB_L1_WORD "6.1 nokaslr x=y", &words },
		{ "a nokaslr", "a nokaslr " LAB_L1_WORD "6.1 ", &none },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *line = lab_l1_command_line(rows[i].l0, "6.1", rows[i].words);

		cr_assert_not_null(line);
		cr_expect_str_eq(line, rows[i].l1);
		free(line);
	}
}

/* Without the built emulator, the machine of the same name runs on a distribution's. */
Test(machines, a_built_emulator_has_a_fallback)
{
	const struct lab_machine *m = lab_machine_find("x86_64-vmx");

	cr_assert_not_null(m);
	cr_expect_not_null(m->emulator->built);
	cr_expect_not_null(strstr(m->emulator->version, "worldswitch"));
	cr_assert_not_null(m->fallback);
	cr_expect_null(m->fallback->emulator->built);
	cr_expect_not_null(m->fallback->emulator->version_option);
	cr_expect_not_null(m->fallback->lacks);
	cr_expect_str_eq(m->fallback->name, m->name);
}

Test(tail, returns_the_last_lines_without_blank_lines_and_control_characters)
{
	struct lab_tail t = { .bytes = 0 };
	const char *text = "one\r\n\r\n  \ntwo \x1b[1m\nKernel panic: why\nthree";
	char line[32];

	for (int i = 0; i < 2000; i++)
		lab_tail_add(&t, "a line that will fall out\n", 26);
	lab_tail_add(&t, "\n", 1);
	lab_tail_add(&t, text, strlen(text));
	cr_expect_str_eq(lab_tail_line(&t, 0, line, sizeof(line)), "three");
	cr_expect_str_eq(lab_tail_line(&t, 2, line, sizeof(line)), "two \\x1b[1m");
	cr_expect_str_eq(lab_tail_line(&t, 3, line, sizeof(line)), "one");
	cr_expect_str_eq(lab_tail_line(&t, 4, line, 7), "a line");
	cr_expect_null(lab_tail_line(&t, 100000, line, sizeof(line)));
	cr_expect_str_eq(lab_tail_find(&t, "panic: ", line, sizeof(line)), "panic: why");
	cr_expect_null(lab_tail_find(&t, "absent", line, sizeof(line)));
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
