/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of the labs' machines: emulators, their plugins, command lines. */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/error.h"
#include "host/targets/bare.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/file.h"
#include "host/targets/lab/initramfs.h"
#include "host/targets/lab/l1.h"

static char folder[] = "/tmp/unit_lab_machine.XXXXXX";

/* Also of a test that has changed PATH. */
static void remove_folder_in(const char *path)
{
	char command[64];

	setenv("PATH", path, 1);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
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

	cr_assert_not_null(mkdtemp(folder));
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
	static const struct lab_l1_words words = { .add = " reboot=t",
						   .trim = "",
						   .omit = omit };
	static const struct lab_l1_words none = { .add = "",
						  .trim = "",
						  .omit = omit + 2 };
	static const struct lab_l1_words trims = { .add = " reboot=t",
						   .trim = " skip=rtc",
						   .omit = omit };
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
		{ "a", "a reboot=t skip=rtc " LAB_L1_WORD "6.1 ", &trims },
		{ "a -- x=y\n", "a reboot=t skip=rtc " LAB_L1_WORD "6.1 x=y", &trims },
		{ "a -- x=y wsbench.whole=1\n",
		  "a reboot=t " LAB_L1_WORD "6.1 x=y wsbench.whole=1", &trims },
		{ "a -- ftrace=function skip=z",
		  "a reboot=t " LAB_L1_WORD "6.1 ftrace=function skip=z", &trims },
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
