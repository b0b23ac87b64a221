/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The preparation of ftrace in an arm64 Image, done before the kernel starts. The kernel
 * finds the address of each function that can be traced in a table, sorts the table
 * (before Linux 6.15), and makes the first of two NOPs there MOV X9, X30, through a
 * mapping of its own for each: 51 of the 186 million instructions of a boot.
 *
 * Here the NOPs are replaced, and ftrace_init() goes the way that it has for a kernel
 * without such functions: a message, and ftrace is disabled. An Image in which message,
 * branch and table are not exactly as expected is left to the kernel.
 */
#include <string.h>

#include "host/targets/lab/qemu.h"

#define NOP	    0xd503201fu
#define BTI_C	    0xd503245fu
#define MOV_X9_X30  0xaa1e03e9u
#define B	    0x14000000u
#define B_RANGE	    0x03ffffffu
#define INSN_BYTES  4
#define NEAR_INSNS  128 /* ftrace_init() is shorter */
#define SITES_LEAST 1000u

/* Addresses of the kernel's image: it begins at a multiple of this. */
#define KERNEL_HIGH   0xffff8u /* bits 44 and above */
#define KERNEL_ALIGN  (UINT64_C(128) << 20)
#define RELATIVE_INFO 0x403u /* R_AARCH64_RELATIVE */
#define RELA_WORDS    3	     /* offset, info, addend */

struct image {
	uint8_t *at;
	size_t bytes;
};

static uint32_t insn_at(const struct image *i, size_t offset)
{
	uint32_t insn;

	memcpy(&insn, i->at + offset, sizeof(insn));
	return insn;
}

static void put_insn(const struct image *i, size_t offset, uint32_t insn)
{
	memcpy(i->at + offset, &insn, sizeof(insn));
}

static uint64_t word_at(const struct image *i, size_t index)
{
	uint64_t word;

	memcpy(&word, i->at + index * sizeof(word), sizeof(word));
	return word;
}

/* ------------------------------ ftrace_init() ------------------------------ */

/* The offset of the message, with its level; 0: not there once. */
static size_t find_message(const struct image *i)
{
	static const char text[] = "\001"
				   "6ftrace: No functions to be traced?\n";
	const uint8_t *at = memmem(i->at, i->bytes, text, sizeof(text)), *after;

	after = at ? memmem(at + 1, i->bytes - (size_t)(at + 1 - i->at), text,
			    sizeof(text))
		   : NULL;
	return at && !after ? (size_t)(at - i->at) : 0;
}

/* Where ADRP and ADD at `offset` point, relative to the image. */
static size_t adrp_add(const struct image *i, size_t offset)
{
	const uint32_t adrp = insn_at(i, offset), add = insn_at(i, offset + INSN_BYTES);
	int64_t pages;

	if ((adrp & 0x9f000000) != 0x90000000 || (add & 0xffc00000) != 0x91000000 ||
	    (add >> 5 & 31) != (adrp & 31))
		return 0;
	pages = (int32_t)((adrp >> 5 & 0x7ffff) << 13) >> 11;
	pages += adrp >> 29 & 3;
	return (offset & ~(size_t)4095) + (size_t)pages * 4096 + (add >> 10 & 0xfff);
}

/* The only code that points to `target`; 0: none, or several. */
static size_t find_user(const struct image *i, size_t target)
{
	size_t found = 0;

	for (size_t at = 0; at + 2 * INSN_BYTES <= i->bytes; at += INSN_BYTES) {
		if (adrp_add(i, at) != target)
			continue;
		if (found)
			return 0;
		found = at;
	}
	return found;
}

/* Where a conditional branch at `offset` goes (B.cond, CBZ, CBNZ); 0: another
 * instruction.
 */
static size_t branch_target(const struct image *i, size_t offset)
{
	const uint32_t insn = insn_at(i, offset);
	const int64_t by = (int32_t)((insn >> 5 & 0x7ffff) << 13) >> 13;

	if ((insn & 0xff000010) != 0x54000000 && (insn & 0x7e000000) != 0x34000000)
		return 0;
	return offset + (size_t)(by * INSN_BYTES);
}

/* Whether no instruction follows it: B, RET. */
static bool is_end(uint32_t insn)
{
	return (insn & 0xfc000000) == B || insn == 0xd65f03c0;
}

/*
 * The branch that decides whether the message at `block` is printed, and what replaces
 * the branch, so that it is. 0: not found.
 */
static size_t find_branch(const struct image *i, size_t block, uint32_t *replacement)
{
	const size_t near = NEAR_INSNS * INSN_BYTES;
	const size_t before = block - INSN_BYTES, over = branch_target(i, before);
	size_t found = 0;

	if (block < near + INSN_BYTES || block + near > i->bytes)
		return 0;
	if (over > block && over <= block + near) {
		*replacement = NOP;
		return before;
	}
	if (!is_end(insn_at(i, before)))
		return 0;
	for (size_t at = block - near; at < block; at += INSN_BYTES) {
		if (branch_target(i, at) != block)
			continue;
		if (found)
			return 0;
		found = at;
	}
	*replacement = B | ((uint32_t)((block - found) / INSN_BYTES) & B_RANGE);
	return found;
}

/* ------------------------------ the table ------------------------------ */

/* Sites: an address every `stride` words from `first` on. */
struct sites {
	size_t first, n, stride;
};

/* The offset of the site at an address; 0: two NOPs are not there. */
static size_t site_of(const struct image *i, uint64_t address)
{
	const size_t offset = address % KERNEL_ALIGN;

	return address >> 44 == KERNEL_HIGH && !(address % INSN_BYTES) &&
			       offset + 8 * INSN_BYTES <= i->bytes &&
			       insn_at(i, offset) == NOP &&
			       insn_at(i, offset + INSN_BYTES) == NOP
		       ? offset
		       : 0;
}

static void extend(struct sites *run, struct sites *best, size_t at, bool is_site,
		   bool follows)
{
	if (run->n && !(is_site && follows))
		run->n = 0;
	if (!is_site)
		return;
	if (!run->n)
		run->first = at;
	run->n++;
	if (run->n > best->n)
		*best = *run;
}

/* The longest sequence of sites in the image itself, or in its relocations (RELA). */
static struct sites find_sites(const struct image *i)
{
	struct sites plain = { .stride = 1 }, rela = { .stride = RELA_WORDS };
	struct sites best = { .n = 0 };
	const size_t words = i->bytes / sizeof(uint64_t);
	size_t last = 0;

	for (size_t at = 2; at < words; at++) {
		const uint64_t word = word_at(i, at);

		if (word >> 44 != KERNEL_HIGH) {
			plain.n = 0;
			continue;
		}
		if (word_at(i, at - 1) != RELATIVE_INFO) {
			extend(&plain, &best, at, site_of(i, word), true);
			continue;
		}
		extend(&rela, &best, at, site_of(i, word),
		       last >= RELA_WORDS - 1 && at == last + RELA_WORDS &&
			       word_at(i, at - 2) == word_at(i, last - 2) + 8);
		last = at;
	}
	return best;
}

/*
 * With CONFIG_DYNAMIC_FTRACE_WITH_CALL_OPS, two NOPs come before a function, and two
 * after its entry (and its BTI): ftrace_call_adjust() in arch/arm64/kernel/ftrace.c.
 */
static size_t after_entry(const struct image *i, size_t site)
{
	size_t at = site + 2 * INSN_BYTES;

	if (insn_at(i, at) == BTI_C)
		at += INSN_BYTES;
	return insn_at(i, at) == NOP && insn_at(i, at + INSN_BYTES) == NOP ? at : 0;
}

size_t qemu_image_trace(uint8_t *at, size_t bytes)
{
	const struct image i = { at, bytes };
	const size_t message = find_message(&i);
	const size_t block = message ? find_user(&i, message) : 0;
	uint32_t replacement;
	const size_t branch = block ? find_branch(&i, block, &replacement) : 0;
	const struct sites sites = branch ? find_sites(&i) : (struct sites){ .n = 0 };
	bool ops = true;

	if (sites.n < SITES_LEAST)
		return 0;
	for (size_t k = 0; k < sites.n && ops; k++)
		ops = after_entry(
			&i, site_of(&i, word_at(&i, sites.first + k * sites.stride)));
	for (size_t k = 0; k < sites.n; k++) {
		const size_t site =
			site_of(&i, word_at(&i, sites.first + k * sites.stride));

		/* Twice in the table: the first time has replaced it. */
		if (site)
			put_insn(&i, ops ? after_entry(&i, site) : site, MOV_X9_X30);
	}
	put_insn(&i, branch, replacement);
	return sites.n;
}
