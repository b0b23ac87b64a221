/* SPDX-License-Identifier: GPL-2.0-or-later */
/* L0's side of a lab with L1: the VM in which Linux runs, from the files of the
 * initramfs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/targets/lab/file.h"
#include "host/targets/lab/initramfs.h"
#include "host/targets/lab/l1.h"

static int read_modules(struct lab_modules *modules, struct error *err)
{
	char path[sizeof(LAB_MODULES_PATH) + sizeof(modules->list[0].name) + 8];
	uint8_t *order;
	size_t bytes;
	int ret =
		lab_file_read("/" LAB_ORDER_PATH, "list of modules", &order, &bytes, err);

	if (ret)
		return ret;
	for (size_t at = 0, n; !ret && at < bytes; at += n + 1) {
		const char *name = (const char *)order + at;
		const char *end = memchr(name, '\n', bytes - at);
		struct lab_module *m = &modules->list[modules->n];

		n = end ? (size_t)(end - name) : bytes - at;
		if (modules->n == LAB_MODULES_MAX || n >= sizeof(m->name)) {
			ret = error_set(err, -E2BIG, "too many modules");
			break;
		}
		memcpy(m->name, name, n);
		snprintf(path, sizeof(path), "/%s/%s.ko", LAB_MODULES_PATH, m->name);
		ret = lab_file_read(path, "module", &m->data, &m->bytes, err);
		modules->n += !ret;
	}
	free(order);
	return ret;
}

/* L1's initramfs: that of L0 without the kernel. */
static int build_initramfs(struct lab_cpio *archive, struct error *err)
{
	struct lab_modules modules = { .n = 0 };
	struct lab_initramfs what = { .modules = &modules };
	uint8_t *program = NULL, *payload = NULL;
	int ret = read_modules(&modules, err);

	if (!ret)
		ret = lab_file_read("/init", "program", &program, &what.program_bytes,
				    err);
	if (!ret && !access("/" LAB_PAYLOAD_PATH, F_OK))
		ret = lab_file_read("/" LAB_PAYLOAD_PATH, "payload", &payload,
				    &what.payload_bytes, err);
	what.program = program;
	what.payload = payload;
	if (!ret && lab_initramfs_build(&what, archive))
		ret = error_set(err, -ENOMEM, "no memory for the initramfs of L1");
	free(program);
	free(payload);
	lab_modules_free(&modules);
	return ret;
}

/* Removes `word`, which begins with a blank, where another does not begin with it. */
static void omit_word(char *line, const char *word)
{
	const size_t n = strlen(word);
	char *at = line;

	while ((at = strstr(at, word))) {
		if (!at[n] || at[n] == ' ')
			memmove(at, at + n, strlen(at + n) + 1);
		else
			at += n;
	}
}

char *lab_l1_command_line(const char *l0, const char *release,
			  const struct lab_l1_words *words)
{
	const char *more = strstr(l0, LAB_L1_SEPARATOR);
	const size_t n = more ? (size_t)(more - l0) : strcspn(l0, "\n");
	char *own = strndup(l0, n), *line = NULL;

	if (!own)
		return NULL;
	for (const char *const *w = words->omit; *w; w++)
		omit_word(own, *w);
	if (asprintf(&line, "%s%s%s " LAB_L1_WORD "%s %.*s", own, words->add,
		     lab_is_whole(l0) ? "" : words->trim, release,
		     more ? (int)strcspn(more + strlen(LAB_L1_SEPARATOR), "\n") : 0,
		     more ? more + strlen(LAB_L1_SEPARATOR) : "") < 0)
		line = NULL;
	free(own);
	return line;
}

static int load(struct lab_l1 *l1, const char *cmdline, struct linux_entry *entry)
{
	struct lab_cpio archive = { .data = NULL };
	struct utsname host;
	char *line = uname(&host)
			     ? NULL
			     : lab_l1_command_line(cmdline, host.release, &lab_l1_words);
	struct lab_preload what = {
		.command_line = line,
		.memory_bytes = (uint32_t)l1->vm.ram_bytes,
	};
	struct error *err = &l1->vm.error;
	uint8_t *kernel = NULL;
	int ret = line ? 0 : error_set(err, -ENOMEM, "out of memory");

	if (!ret)
		ret = lab_file_read("/" LAB_L1_KERNEL_PATH, "kernel", &kernel,
				    &what.kernel_bytes, err);
	if (!ret)
		ret = build_initramfs(&archive, err);
	what.kernel = kernel;
	what.initramfs = archive.data;
	what.initramfs_bytes = archive.bytes;
	if (!ret)
		ret = lab_l1_load(l1, &what, entry);
	free(archive.data);
	free(kernel);
	free(line);
	return ret;
}

/* l1->vm.error on failure. */
static int run(struct lab_l1 *l1, int kvm_fd, const char *cmdline)
{
	const struct vm_listener listener = { .ctx = l1, .access = lab_l1_access };
	struct linux_entry entry;
	struct vm_config config;
	int ret;

	linux_vm_config(&config, LAB_L1_RAM_BYTES);
	ret = vm_create(&l1->vm, kvm_fd, &config, &listener);
	if (!ret)
		ret = lab_l1_attach(l1);
	if (!ret)
		ret = load(l1, cmdline, &entry);
	if (!ret)
		ret = linux_enter(&l1->vm, &entry);
	return ret ? ret : vm_run(&l1->vm, NULL, NULL);
}

void lab_l1_print(struct lab_l1 *l1, char c)
{
	static const char mark[] = LAB_L1_MARK;
	const bool ends = c == '\n' || c == '\r';

	if (!l1->in_line && !ends)
		(void)!write(STDERR_FILENO, mark, sizeof(mark) - 1);
	l1->in_line = !ends;
	(void)!write(STDERR_FILENO, &c, 1);
}

int lab_l1_run(const char *cmdline, struct lab_shared *wire, lab_symbols_sender *symbols,
	       struct error *err)
{
	struct lab_l1 *l1;
	int kvm_fd = kvm_open(err), ret;

	if (kvm_fd < 0)
		return kvm_fd;
	ret = vm_nested_available(kvm_fd, err);
	if (ret)
		goto close;
	l1 = calloc(1, sizeof(*l1));
	if (!l1) {
		ret = error_set(err, -ENOMEM, "out of memory");
		goto close;
	}
	l1->wire = wire;
	l1->symbols = symbols;
	ret = run(l1, kvm_fd, cmdline);
	if (ret)
		error_set(err, ret, "the machine of L1: %s", l1->vm.error.text);
	vm_destroy(&l1->vm);
	free(l1);
close:
	close(kvm_fd);
	return ret;
}
