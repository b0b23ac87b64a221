/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * L0's side of a lab with L1: the VM in which Linux runs, from the files of the
 * initramfs, with a serial port and the relay.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/targets/lab/file.h"
#include "host/targets/lab/initramfs.h"
#include "host/targets/lab/l1.h"
#include "host/targets/lab/preload.h"
#include "host/targets/lab/wire.h"
#include "host/vmm/io.h"
#include "host/vmm/x86_64/linux.h"

/* The kernel resets by a triple fault: it would wait for a keyboard controller. */
#define MORE_WORDS "reboot=t"

#define UART	 0x3f8
#define UART_IRQ 4

/* Registers of a 16450: without FIFOs, always ready to send, nothing to receive. */
enum { UART_DATA, UART_IER, UART_IIR, UART_LCR, UART_MCR, UART_LSR, UART_MSR };
#define IER_THRI      0x02
#define IIR_NONE      0x01
#define IIR_THRI      0x02
#define LCR_DLAB      0x80
#define LSR_EMPTY     0x60
#define MSR_CONNECTED 0xb0

struct devices {
	struct vm *vm;
	uint8_t uart[8];
	uint32_t expected, got; /* bytes of a transfer */
	uint8_t buffer[LAB_L1_TRANSFER_MAX];
};

static uint8_t uart_read(const struct devices *d, unsigned int reg)
{
	switch (reg) {
	case UART_IIR:
		return d->uart[UART_IER] & IER_THRI ? IIR_THRI : IIR_NONE;
	case UART_LSR:
		return LSR_EMPTY;
	case UART_MSR:
		return MSR_CONNECTED;
	default:
		return d->uart[reg];
	}
}

/* The register for received bytes reads as 0. */
static void uart_write(struct devices *d, unsigned int reg, uint8_t value)
{
	const bool divisor = d->uart[UART_LCR] & LCR_DLAB;

	if (reg == UART_DATA && !divisor)
		(void)!write(STDERR_FILENO, &value, 1);
	else if (reg > UART_IER || !divisor)
		d->uart[reg] = value;
	if (reg <= UART_IER && !divisor && d->uart[UART_IER] & IER_THRI) {
		(void)irq_set_line(d->vm, UART_IRQ, true);
		(void)irq_set_line(d->vm, UART_IRQ, false);
	}
}

static void relay_word(struct devices *d, uint32_t word)
{
	uint32_t bytes;

	if (d->got == d->expected) {
		d->got = d->expected = 0;
		if (word == LAB_L1_READY)
			(void)lab_port_write((const uint8_t *)LAB_PORT_READY,
					     LAB_PORT_READY_BYTES);
		else if (word <= sizeof(d->buffer))
			d->expected = word;
		return;
	}
	bytes = d->expected - d->got < 4 ? d->expected - d->got : 4;
	memcpy(d->buffer + d->got, &word, bytes);
	d->got += bytes;
	if (d->got == d->expected)
		(void)lab_port_write(d->buffer, d->expected);
}

static enum vm_answer on_access(void *ctx, struct vcpu *vcpu,
				const struct vm_access *access)
{
	struct devices *d = ctx;
	uint32_t word;

	if (!access->is_pio)
		return VM_ANSWERED;
	if (access->address >= UART && access->address < UART + 8 && access->bytes == 1) {
		if (access->is_write)
			uart_write(d, access->address - UART, *access->data);
		else
			*access->data = uart_read(d, access->address - UART);
	} else if (access->address == LAB_L1_PORT && access->bytes == 4) {
		memcpy(&word, access->data, sizeof(word));
		if (access->is_write)
			relay_word(d, word);
		else
			word = (uint32_t)vcpu_kvm_stat(vcpu, KVM_STAT_EXITS);
		memcpy(access->data, &word, sizeof(word));
	}
	return VM_ANSWERED;
}

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

static char *command_line(const char *own)
{
	const char *more = strstr(own, LAB_L1_SEPARATOR);
	const int n = more ? (int)(more - own) : (int)strcspn(own, "\n");
	struct utsname host;
	char *line;

	if (uname(&host) ||
	    asprintf(&line, "%.*s " MORE_WORDS " " LAB_L1_WORD "%s %.*s", n, own,
		     host.release,
		     more ? (int)strcspn(more + strlen(LAB_L1_SEPARATOR), "\n") : 0,
		     more ? more + strlen(LAB_L1_SEPARATOR) : "") < 0)
		return NULL;
	return line;
}

/* Kernel, initramfs and command line, as preload.c lays out a machine's memory. */
static int preload(struct vm *vm, const struct lab_preload *what,
		   struct linux_entry *entry, struct error *err)
{
	const uint8_t *image = MAP_FAILED;
	int fd = lab_preload(what, err), ret = 0;
	struct stat st;

	if (fd < 0)
		return fd;
	if (!fstat(fd, &st))
		image = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (image == MAP_FAILED)
		ret = error_set(err, -errno, "cannot map the memory of L1: %m");
	close(fd);
	if (ret)
		return ret;
	*entry = (struct linux_entry){
		.entry = lab_get_le32(image + PRELOAD_AT_ENTRY),
		.params = lab_get_le32(image + PRELOAD_AT_PARAMS),
		.tables = lab_get_le32(image + PRELOAD_AT_TABLES),
	};
	if (vm_write(vm, PRELOAD_BASE, image, st.st_size))
		ret = error_set(err, -EFBIG, "kernel and initramfs of L1 are too large");
	munmap((void *)(uintptr_t)image, st.st_size);
	return ret;
}

static int load(struct vm *vm, const char *cmdline, struct linux_entry *entry,
		struct error *err)
{
	struct lab_cpio archive = { .data = NULL };
	char *line = command_line(cmdline);
	struct lab_preload what = {
		.command_line = line,
		.memory_bytes = (uint32_t)vm->ram_bytes,
	};
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
		ret = preload(vm, &what, entry, err);
	free(archive.data);
	free(kernel);
	free(line);
	return ret;
}

/* vm->error on failure. */
static int run(struct vm *vm, struct devices *devices, int kvm_fd, const char *cmdline)
{
	const struct vm_listener listener = { .ctx = devices, .access = on_access };
	struct linux_entry entry;
	struct vm_config config;
	int ret;

	linux_vm_config(&config, LAB_L1_RAM_BYTES);
	devices->vm = vm;
	ret = vm_create(vm, kvm_fd, &config, &listener);
	if (!ret)
		ret = load(vm, cmdline, &entry, &vm->error);
	if (!ret)
		ret = linux_enter(vm, &entry);
	return ret ? ret : vm_run(vm, NULL, NULL);
}

int lab_l1_run(const char *cmdline, struct error *err)
{
	struct devices *devices;
	struct vm *vm;
	int kvm_fd = kvm_open(err), ret;

	if (kvm_fd < 0)
		return kvm_fd;
	devices = calloc(1, sizeof(*devices));
	vm = calloc(1, sizeof(*vm));
	if (!devices || !vm) {
		ret = error_set(err, -ENOMEM, "out of memory");
		goto free;
	}
	ret = vm_nested_available(kvm_fd, err);
	if (ret)
		goto free;
	ret = run(vm, devices, kvm_fd, cmdline);
	if (ret)
		error_set(err, ret, "the machine of L1: %s", vm->error.text);
	vm_destroy(vm);
free:
	free(vm);
	free(devices);
	close(kvm_fd);
	return ret;
}
