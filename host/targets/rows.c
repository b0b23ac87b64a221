/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What benchmarks need on the host: the set-up of their VMs, the table of rows.def and
 * its check against bench/catalogue.def; and the images of payloads, built into this
 * program or from a file.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/abi.h"
#include "host/lib/error.h"
#include "host/targets/host_timed.h"
#include "host/targets/rows.h"
#include "host/vmm/io.h"
#include "host/vmm/memory.h"
#include "host/vmm/traps.h"
#include "host/vmm/vmm.h"

#define PAGE_BYTES 0x1000ull
#define HUGE_BYTES 0x200000ull

#define MSR_TSC_ADJUST 0x3b /* the MSR of rdmsr_user and wrmsr_user */

_Static_assert(SLOT_GPA == ABI_SLOT_GPA, "guest and host name the same address");

/* ---- rows whose events take long, or whose memory grows with their number ---------- */

/*
 * On an exact target, unless --events asks for more: as many events as two blocks
 * have (bench/abi.h), also of a row whose events never repeat.
 */
static void configure_heavy(struct vm_config *config, struct abi_params *params)
{
	(void)config;
	if (params->repeat && params->events > 2 * params->repeat)
		params->events = 2 * params->repeat;
}

/* ---- MMIO and port I/O ------------------------------------------------------------ */

static uint64_t mmio_gpa(const struct vm *vm)
{
	return vm->ram_gpa == ABI_X86_64_RAM_GPA ? ABI_X86_64_MMIO_GPA
						 : ABI_AARCH64_MMIO_GPA;
}

static int setup_mmio_eventfd(struct vm *vm, struct abi_params *params)
{
	int fd = io_eventfd(vm, false, mmio_gpa(vm) + ABI_MMIO_EVENTFD_OFFSET, 4);

	(void)params;
	return fd < 0 ? fd : 0;
}

static int setup_mmio_eventfd_match(struct vm *vm, struct abi_params *params)
{
	int fd = io_eventfd_match(vm, false, mmio_gpa(vm) + ABI_MMIO_MATCH_OFFSET, 4,
				  ABI_MATCH_VALUE);

	(void)params;
	return fd < 0 ? fd : 0;
}

/* Without a length: the eventfd of a virtio queue. */
static int setup_mmio_eventfd_any(struct vm *vm, struct abi_params *params)
{
	int fd = io_eventfd(vm, false, mmio_gpa(vm) + ABI_MMIO_ANY_OFFSET, 0);

	(void)params;
	return fd < 0 ? fd : 0;
}

static int setup_mmio_coalesced(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return io_coalesce(vm, false, mmio_gpa(vm) + ABI_MMIO_COALESCED_OFFSET, 4);
}

static int setup_mmio_nisv(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return traps_nisv_to_user(vm);
}

static int setup_pio_eventfd(struct vm *vm, struct abi_params *params)
{
	int fd = io_eventfd(vm, true, ABI_X86_64_PIO_EVENTFD_PORT, 1);

	(void)params;
	return fd < 0 ? fd : 0;
}

static int setup_pio_eventfd_match(struct vm *vm, struct abi_params *params)
{
	int fd =
		io_eventfd_match(vm, true, ABI_X86_64_PIO_MATCH_PORT, 1, ABI_MATCH_VALUE);

	(void)params;
	return fd < 0 ? fd : 0;
}

static int setup_pio_eventfd_any(struct vm *vm, struct abi_params *params)
{
	int fd = io_eventfd(vm, true, ABI_X86_64_PIO_ANY_PORT, 0);

	(void)params;
	return fd < 0 ? fd : 0;
}

static int setup_pio_coalesced(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return io_coalesce(vm, true, ABI_X86_64_PIO_COALESCED_PORT, 1);
}

/* ---- stage-2 faults: memory slots at ABI_SLOT_GPA -----------------------------------
 */

/*
 * One page per body of a boot, rounded up to huge pages: KVM checks whether a huge
 * mapping is possible only inside a whole huge page, and the check costs instructions.
 */
static uint64_t bodies_bytes(const struct abi_params *p)
{
	uint64_t bytes = PAGE_BYTES * abi_bodies(p);

	return (bytes + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
}

/* A slot whose pages fault one by one. */
static int setup_pages(struct vm *vm, const struct abi_params *params,
		       const struct slot_options *options)
{
	if (kvm_maps_neighbours(vm->kvm_fd))
		return error_set(
			&vm->error, -ENOTSUP,
			"KVM maps up to eight pages at a fault, so that few stores fault: it has no TDP MMU (tdp_mmu=N of kvm, or no nested paging)");
	return slot_add(vm, SLOT_GPA, vm_slot_bytes(vm, bodies_bytes(params)), options);
}

static int setup_first_touch_4k(struct vm *vm, struct abi_params *params)
{
	return setup_pages(vm, params, &(struct slot_options){ .populate = true });
}

/*
 * Before the warm-up the guest has touched all pages, so that the host has marked them
 * as used; otherwise the host would do so in every 15th event. Unmaps them from stage 2.
 */
static int doorbell_first_touch_4k(struct vm *vm, enum abi_doorbell kind,
				   enum abi_phase phase)
{
	if (kind == ABI_DOORBELL_BEGIN && phase == ABI_PHASE_WARMUP)
		return slot_unmap(vm, SLOT_GPA);
	return 0;
}

/* As setup_first_touch_4k(), but KVM looks the pages up in the guest_memfd. */
static int setup_guest_memfd(struct vm *vm, struct abi_params *params)
{
	return setup_pages(vm, params, &(struct slot_options){ .guest_memfd = true });
}

static void configure_private(struct vm_config *config, struct abi_params *params)
{
	(void)params;
	config->sw_protected = true;
}

static int setup_private(struct vm *vm, struct abi_params *params)
{
	const struct slot_options options = { .private = true };
	int err =
		slot_add(vm, SLOT_GPA, vm_slot_bytes(vm, bodies_bytes(params)), &options);

	return err ? err : traps_hypercalls_to_user(vm);
}

/*
 * One huge page that is unmapped before each event. Its neighbour stays mapped, so that
 * KVM does not free and allocate the table that maps both.
 */
static int setup_first_touch_2m(struct vm *vm, struct abi_params *params)
{
	const struct slot_options options = { .huge = true, .populate = true };
	int err = slot_add(vm, SLOT_GPA, HUGE_BYTES, &options);

	(void)params;
	return err ? err : slot_add(vm, SLOT_GPA + HUGE_BYTES, HUGE_BYTES, &options);
}

static int doorbell_first_touch_2m(struct vm *vm, enum abi_doorbell kind,
				   enum abi_phase phase)
{
	(void)phase;
	return kind == ABI_DOORBELL_AGAIN ? slot_unmap(vm, SLOT_GPA) : 0;
}

static int setup_dirty_log(struct vm *vm, struct abi_params *params)
{
	const struct slot_options options = { .dirty_log = true, .populate = true };

	return slot_add(vm, SLOT_GPA, vm_slot_bytes(vm, bodies_bytes(params)), &options);
}

/* The bodies so far that have stored to a logged page, of all vCPUs. */
static uint64_t stores_of(const struct vm *vm)
{
	uint64_t stores = 0;
	uint32_t i;

	for (i = 0; i < (vm->config.windows ? vm->config.vcpus : 1); i++) {
		const struct abi_page *page =
			(const void *)(vm_window(&vm->vcpus[i]) + ABI_PAGE_OFFSET);

		stores += page->params.warmup + page->report.samples[ABI_PHASE_EVENT];
	}
	return stores;
}

/*
 * The guest has written to all pages: clearing the log write-protects each page once.
 * Behind the events, before any twin, the log proves the stores: their number of exits
 * does not, as PML needs none.
 */
static int doorbell_dirty_log(struct vm *vm, enum abi_doorbell kind, enum abi_phase phase)
{
	const bool behind = phase == ABI_PHASE_TWIN;
	uint64_t dirty, expected = 0;
	int err;

	if (kind != ABI_DOORBELL_BEGIN || (!behind && phase != ABI_PHASE_WARMUP))
		return 0;
	if (behind)
		expected = stores_of(vm);
	err = slot_clear_dirty(vm, SLOT_GPA, &dirty);
	if (!err && !behind)
		err = slot_clear_dirty(vm, SLOT_GPA, &dirty);
	if (err || (behind ? dirty >= expected : !dirty))
		return err;
	return error_set(&vm->error, -EIO, "the dirty log has %llu pages instead of %llu",
			 (unsigned long long)dirty, (unsigned long long)expected);
}

static int setup_readonly(struct vm *vm, struct abi_params *params)
{
	const struct slot_options options = { .readonly = true, .populate = true };

	(void)params;
	return slot_add(vm, SLOT_GPA, vm_slot_bytes(vm, PAGE_BYTES), &options);
}

/* ---- exits that KVM forwards to user space, and interrupts ---------------------------
 */

/*
 * A table of the window for each 32 bodies (guest/x86_64/nested.h): in a VM of 16 MiB KVM
 * would drop tables that L2 has touched, and those of the payload's code.
 */
static int setup_nested_window(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return memory_shadow_tables(vm, 1024);
}

/*
 * The GIF that CLGI or STGI leaves, where no APIC of KVM shows it: behind the events the
 * payload rings AGAIN with interrupts enabled.
 */
static int check_gif(struct vm *vm, enum abi_doorbell kind, bool gif)
{
	if (kind != ABI_DOORBELL_AGAIN || vm->config.irqchip != VM_IRQCHIP_USER ||
	    irq_window_is_open(&vm->vcpus[0]) == gif)
		return 0;
	return error_set(
		&vm->error, -EIO,
		"the timed instruction has no effect: behind it the guest %s interrupts",
		gif ? "does not take" : "takes");
}

static int doorbell_clgi(struct vm *vm, enum abi_doorbell kind, enum abi_phase phase)
{
	(void)phase;
	return check_gif(vm, kind, false);
}

static int doorbell_stgi(struct vm *vm, enum abi_doorbell kind, enum abi_phase phase)
{
	(void)phase;
	return check_gif(vm, kind, true);
}

static int setup_hvc_user(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return traps_smccc_to_user(vm, ABI_AARCH64_HVC_USER, 1);
}

/* VMs of a machine without pointer authentication do not have the setting. */
static int setup_unknown_sysreg(struct vm *vm, struct abi_params *params)
{
	(void)params;
	if (!(vm->config.settings & 1u << SETTING_ptrauth))
		return 0;
	return error_set(&vm->error, -ENOTSUP,
			 "the VM has pointer authentication: the read does not exit");
}

static int setup_msr_user(struct vm *vm, struct abi_params *params)
{
	static const struct traps_msrs tsc_adjust = { MSR_TSC_ADJUST, 1 };

	(void)params;
	return traps_msrs_to_user(vm, &tsc_adjust, 1);
}

/* Else the events of a boot would take ever longer. */
static int setup_pause_exit(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return traps_pause_window_constant(vm->kvm_fd, &vm->error);
}

static int setup_int3_user(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return traps_breakpoints_to_user(vm);
}

/* With an in-kernel LAPIC, KVM would block the vCPU until an interrupt. */
static void configure_hlt_user(struct vm_config *config, struct abi_params *params)
{
	(void)params;
	config->irqchip = VM_IRQCHIP_USER;
}

/* An edge on the line of the interrupt that HLT waits for. */
static int doorbell_hlt_kernel(struct vm *vm, enum abi_doorbell kind,
			       enum abi_phase phase)
{
	int err;

	(void)phase;
	if (kind != ABI_DOORBELL_AGAIN)
		return 0;
	err = irq_set_line(vm, ABI_X86_64_HLT_LINE, false);
	return err ? err : irq_set_line(vm, ABI_X86_64_HLT_LINE, true);
}

static int setup_its(struct vm *vm, struct abi_params *params)
{
	(void)params;
	return irq_its(vm);
}

#define A_DIFFERENCE "its figure is the difference of two runs"
#define A_BUDGET     "its figure is time beyond a budget"
#define TWO_THREADS  "two threads take turns in it"

#define NO_MSR_IMM                                                                       \
	"the guest's CPUID lacks MSR_IMM, instructions that Intel's newest CPUs have and KVM from Linux 6.17 on"

#define MEMORY_PAYLOAD                                                                   \
	.payload = { [ARCH_X86_64] = "host_timed_memory",                                \
		     [ARCH_AARCH64] = "host_timed_memory" }
#define MSI_PAYLOAD                                                                      \
	.payload = { [ARCH_X86_64] = "host_timed_msi", [ARCH_AARCH64] = "host_timed_msi" }

#define HOST_TIMED(id_, function_, ...)                                                  \
	{ .id = #id_, .host_timed = function_, __VA_ARGS__ },
#define HOST_ROW(id_, ...) { .id = #id_, __VA_ARGS__ },

static const struct host_row rows[] = {
#include "host/targets/rows.def"
};

#undef HOST_TIMED
#undef HOST_ROW

/* Each host-timed row of the catalogue has one HOST_TIMED() row, and no other row has. */
enum {
#define BENCH(id_, group_, archs_, handled_by_, exits_, needs_, summary_)                \
	HOST_TIMED_##id_ = !!((needs_)&TIMED_BY_HOST),
#include "bench/catalogue.def"
#undef BENCH
	HOST_TIMED_BENCHES = 0
#define BENCH(id_, group_, archs_, handled_by_, exits_, needs_, summary_)                \
	+!!((needs_)&TIMED_BY_HOST)
#include "bench/catalogue.def"
#undef BENCH
};

/* An enumerator per row: two rows of one benchmark do not compile. */
enum {
#define HOST_TIMED(id_, ...) ROW_OF_##id_ = HOST_TIMED_##id_,
#define HOST_ROW(id_, ...)   ROW_OF_##id_ = HOST_TIMED_##id_,
#include "host/targets/rows.def"
#undef HOST_TIMED
#undef HOST_ROW
	HOST_TIMED_ROWS = 0
#define HOST_TIMED(id_, ...) +1
#define HOST_ROW(id_, ...)
#include "host/targets/rows.def"
#undef HOST_TIMED
#undef HOST_ROW
};

#define HOST_TIMED(id_, ...)                                                             \
	_Static_assert(HOST_TIMED_##id_,                                                 \
		       #id_ " lacks TIMED_BY_HOST in bench/catalogue.def");
#define HOST_ROW(id_, ...)                                                               \
	_Static_assert(!HOST_TIMED_##id_, #id_ " needs HOST_TIMED() in rows.def");
#include "host/targets/rows.def"

_Static_assert(
	(int)HOST_TIMED_ROWS == (int)HOST_TIMED_BENCHES,
	"a TIMED_BY_HOST row of bench/catalogue.def has no HOST_TIMED() in rows.def");

const struct host_row *host_row_find(const char *id)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].id, id))
			return &rows[i];
	return NULL;
}

/* One per image; the Makefile writes the table (build/payloads.S) by .incbin. */
struct payload {
	const char *name; /* "x86_64/cpuid" */
	const char *start, *end;
};
extern const struct payload payload_table[];

static const char *const arch_names[ARCHS] = {
	[ARCH_X86_64] = "x86_64/",
	[ARCH_AARCH64] = "aarch64/",
};

const char *payload_of(const struct bench *row, enum arch arch)
{
	const struct host_row *host = host_row_find(row->id);

	if (host && host->host_timed)
		return host->payload[arch] ? host->payload[arch] : "host_timed";
	return row->needs & NEEDS_OPERAND ? row->group : row->id;
}

const void *payload_find(enum arch arch, const char *id, size_t *bytes)
{
	size_t prefix = strlen(arch_names[arch]);
	const struct payload *p;

	for (p = payload_table; p->name; p++) {
		if (strncmp(p->name, arch_names[arch], prefix) ||
		    strcmp(p->name + prefix, id))
			continue;
		*bytes = (size_t)(p->end - p->start);
		return p->start;
	}
	return NULL;
}

static const uint16_t elf_machines[ARCHS] = {
	[ARCH_X86_64] = EM_X86_64,
	[ARCH_AARCH64] = EM_AARCH64,
};

/* Checks format and architecture; vm_load() checks the rest. */
static int check(const char *path, enum arch arch, const void *image, size_t bytes,
		 struct error *err)
{
	Elf64_Ehdr header;

	if (bytes >= sizeof(header))
		memcpy(&header, image, sizeof(header));
	if (bytes < sizeof(header) || memcmp(header.e_ident, ELFMAG, SELFMAG) ||
	    header.e_ident[EI_CLASS] != ELFCLASS64)
		return error_set(err, -ENOEXEC, "payload %s is not a 64-bit ELF image",
				 path);
	if (header.e_machine != elf_machines[arch])
		return error_set(err, -ENOEXEC, "payload %s is not for %.*s", path,
				 (int)strcspn(arch_names[arch], "/"), arch_names[arch]);
	return 0;
}

int payload_read(const char *path, enum arch arch, void **image, size_t *bytes,
		 struct error *err)
{
	const size_t most = ABI_RAM_BYTES;
	FILE *f = fopen(path, "re");
	int rc = 0;

	if (!f)
		return error_set(err, -ENOEXEC, "cannot open payload %s: %m", path);
	*image = malloc(most + 1);
	if (!*image) {
		rc = error_set(err, -ENOMEM, "out of memory");
	} else {
		*bytes = fread(*image, 1, most + 1, f);
		if (ferror(f))
			rc = error_set(err, -ENOEXEC, "cannot read payload %s: %m", path);
		else if (*bytes > most)
			rc = error_set(err, -ENOEXEC,
				       "payload %s is larger than guest memory", path);
		else
			rc = check(path, arch, *image, *bytes, err);
	}
	fclose(f);
	if (rc) {
		free(*image);
		*image = NULL;
	}
	return rc;
}
