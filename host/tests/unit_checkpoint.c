/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checkpoints of a VM whose memory is mapped as a real VM's is; KVM is the test's own. */
#include <criterion/criterion.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/tests/fake_kvm.h"
#include "host/vmm/checkpoint.h"

#define PAGE	  4096u
#define RAM_BYTES (64 * PAGE)

static struct fake_kvm fake;
static struct vm *const vm = &fake.vm;
static int fd;

int fake_kvm_run(struct kvm_run *run, unsigned int vcpu)
{
	(void)vcpu;
	run->exit_reason = KVM_EXIT_HLT;
	return 0;
}

static void open_vm(void)
{
	fake_kvm_open(&fake, 1);
	vm->ram_bytes = RAM_BYTES;
	vm->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(vm->ram, MAP_FAILED);
	fd = checkpoint_create();
	cr_assert_geq(fd, 0);
}

static void close_vm(void)
{
	close(fd);
	munmap(vm->ram, RAM_BYTES);
	vm->ram = NULL;
	fake_kvm_close(&fake);
}

/* Whether page `n` of RAM has `value` in every byte. */
static bool is_filled(unsigned int n, uint8_t value)
{
	const uint8_t *page = vm->ram + n * PAGE;

	return page[0] == value && !memcmp(page, page + 1, PAGE - 1);
}

static off_t size_of_file(void)
{
	struct stat st;

	cr_assert_eq(fstat(fd, &st), 0);
	return st.st_size;
}

Test(checkpoint, memory_that_the_file_lacks_becomes_zero, .init = open_vm,
     .fini = close_vm)
{
	memset(vm->ram + 3 * PAGE, 7, PAGE);
	memset(vm->ram + 9 * PAGE, 8, PAGE);
	cr_assert_eq(checkpoint_save(vm, fd), 0, "%s", vm->error.text);
	memset(vm->ram, 0x3c, RAM_BYTES);
	cr_assert_eq(checkpoint_restore(vm, fd), 0, "%s", vm->error.text);
	for (unsigned int n = 0; n < RAM_BYTES / PAGE; n++)
		cr_expect(is_filled(n, n == 3 ? 7 : n == 9 ? 8 : 0), "page %u", n);
}

/* The search for pages is not a part of the save: the row checkpoint_save times the rest.
 */
Test(checkpoint, a_save_of_known_pages_reads_no_others, .init = open_vm, .fini = close_vm)
{
	struct checkpoint_pages pages = { .count = { 0 } };

	memset(vm->ram + 3 * PAGE, 7, PAGE);
	cr_assert_eq(checkpoint_find_pages(vm, &pages), 0, "%s", vm->error.text);
	cr_expect_eq(pages.count[0], 1);
	cr_expect_eq(pages.number[0][0], 3);
	cr_assert_eq(mprotect(vm->ram + 4 * PAGE, RAM_BYTES - 4 * PAGE, PROT_NONE), 0);
	cr_assert_eq(mprotect(vm->ram, 3 * PAGE, PROT_NONE), 0);
	cr_expect_eq(checkpoint_save_pages(vm, fd, &pages), 0, "%s", vm->error.text);
	cr_assert_eq(mprotect(vm->ram, RAM_BYTES, PROT_READ | PROT_WRITE), 0);
	checkpoint_pages_free(&pages);
	memset(vm->ram + 3 * PAGE, 0, PAGE);
	cr_assert_eq(checkpoint_restore(vm, fd), 0, "%s", vm->error.text);
	cr_expect(is_filled(3, 7));
}

/* The file keeps its pages from one save to the next, and ends where the last save does.
 */
Test(checkpoint, a_shorter_checkpoint_replaces_a_longer_one, .init = open_vm,
     .fini = close_vm)
{
	off_t longer, shorter;

	memset(vm->ram, 7, 20 * PAGE);
	cr_assert_eq(checkpoint_save(vm, fd), 0, "%s", vm->error.text);
	longer = size_of_file();
	memset(vm->ram + PAGE, 0, 19 * PAGE);
	cr_assert_eq(checkpoint_save(vm, fd), 0, "%s", vm->error.text);
	shorter = size_of_file();
	cr_expect_eq(longer - shorter, 19 * (PAGE + 8));
	cr_expect_eq(checkpoint_restore(vm, fd), 0, "%s", vm->error.text);
	cr_expect(is_filled(0, 7) && is_filled(1, 0));
}
