/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interrupt translation service: its tables, and its queue of commands. */
#include "guest/aarch64/gic.h"

#include <stddef.h>

#include "bench/abi.h"
#include "guest/runtime.h"

#define GITS_CTLR	     0x0000
#define GITS_CTLR_ENABLED    1u
#define GITS_CBASER	     0x0080
#define GITS_CREADR	     0x0090
#define GITS_BASER	     0x0100 /* eight of them */
#define GITS_BASERS	     8
#define GITS_PIDR2	     0xffe8
#define BASER_TYPE(r)	     ((r) >> 56 & 7)
#define BASER_TYPE_DEVICES   1
#define BASER_TYPE_COLLECTED 4
#define BASER_64K	     (2ull << 8)
#define VALID		     (1ull << 63)
/* Tables in memory: inner write-back, inner shareable. */
#define CACHED_TABLE	     (7ull << 59 | 1ull << 10)
#define CACHED_LPI	     (7ull << 7 | 1ull << 10)

#define GICR_CTLR	 0x0000
#define GICR_CTLR_LPIS	 1u
#define GICR_TYPER	 0x0008
#define GICR_TYPER_LPIS	 1u
#define GICR_PROPBASER	 0x0070
#define GICR_PENDBASER	 0x0078
#define PENDBASER_ZEROED (1ull << 62)
#define INTID_BITS	 14
#define LPI_FIRST	 8192
#define LPI_ENABLED	 (0xa0 | 1) /* priority, enabled */

/* Device 0, collection 0; redistributor 0. */
#define COMMAND_MAPD  0x08
#define COMMAND_MAPC  0x09
#define COMMAND_MAPTI 0x0a
#define COMMAND_INV   0x0c
#define COMMAND_INT   0x03

/* Of the numbers of events. */
#define EVENT_BITS 4
_Static_assert(1u << EVENT_BITS == ABI_AARCH64_MSI_EVENTS, "events have EVENT_BITS bits");

#define COMMANDS (ITS_QUEUE_BYTES / ITS_COMMAND_BYTES)
#define PATIENCE 1000000 /* reads of CREADR */

struct command {
	uint64_t word[4];
};

/* The largest sizes and alignments that an ITS may require. */
#define ITS_PAGE __attribute__((aligned(0x10000)))
static ITS_PAGE struct command queue[COMMANDS];
static ITS_PAGE uint8_t devices[0x10000], collections[0x10000], pending[0x10000];
static ITS_PAGE uint8_t properties[(1 << INTID_BITS) - LPI_FIRST];
static __attribute__((aligned(256))) uint8_t translations[256];

static void store64(uint64_t gpa, uint64_t value)
{
	__asm__ volatile("dsb sy\n\t"
			 "str %0, [%1]" ::"r"(value),
			 "r"(gpa)
			 : "memory");
}

static bool is_there(void)
{
	uint32_t revision = gic_load(ABI_AARCH64_GITS_GPA + GITS_PIDR2) >> 4 & 0xf;

	/* Without an ITS, the VMM returns all ones. */
	return (revision == 3 || revision == 4) &&
	       gic_load(ABI_AARCH64_GICR_GPA + GICR_TYPER) & GICR_TYPER_LPIS;
}

static void init_lpis(uint32_t events)
{
	uint32_t i;

	for (i = 0; i < events; i++)
		properties[i] = LPI_ENABLED;
	store64(ABI_AARCH64_GICR_GPA + GICR_PROPBASER,
		(uintptr_t)properties | CACHED_LPI | (INTID_BITS - 1));
	store64(ABI_AARCH64_GICR_GPA + GICR_PENDBASER,
		(uintptr_t)pending | CACHED_LPI | PENDBASER_ZEROED);
	gic_store(ABI_AARCH64_GICR_GPA + GICR_CTLR, GICR_CTLR_LPIS);
}

static void init_tables(void)
{
	uint64_t gpa = ABI_AARCH64_GITS_GPA + GITS_BASER;
	int i;

	for (i = 0; i < GITS_BASERS; i++, gpa += 8) {
		uint32_t type = BASER_TYPE((uint64_t)gic_load(gpa + 4) << 32);
		const uint8_t *table = type == BASER_TYPE_DEVICES     ? devices
				       : type == BASER_TYPE_COLLECTED ? collections
								      : NULL;

		if (table)
			store64(gpa, (uintptr_t)table | VALID | CACHED_TABLE | BASER_64K);
	}
	store64(ABI_AARCH64_GITS_GPA + GITS_CBASER,
		(uintptr_t)queue | VALID | CACHED_TABLE | (ITS_QUEUE_BYTES / 4096 - 1));
	store64(ITS_CWRITER_GPA, 0);
	gic_store(ABI_AARCH64_GITS_GPA + GITS_CTLR, GITS_CTLR_ENABLED);
}

/* Waits until the ITS has processed all commands up to `cwriter`. */
static bool taken(uint32_t cwriter)
{
	uint32_t looks;

	for (looks = 0; looks < PATIENCE; looks++)
		if (gic_load(ABI_AARCH64_GITS_GPA + GITS_CREADR) == cwriter)
			return true;
	return false;
}

/* Maps event `i` to LPI `i`. */
static struct command mapti(uint32_t i)
{
	return (struct command){ { COMMAND_MAPTI, (uint64_t)(LPI_FIRST + i) << 32 | i } };
}

bool its_init(uint32_t events, uint32_t *cwriter)
{
	const struct command first[] = {
		{ { COMMAND_MAPD, EVENT_BITS - 1, VALID | (uintptr_t)translations } },
		{ { COMMAND_MAPC, 0, VALID } },
	};
	const struct command inv = { { COMMAND_INV } };
	const uint32_t firsts = sizeof(first) / sizeof(first[0]);
	const uint32_t maps = firsts + events + 1;
	uint32_t i;

	if (!is_there())
		return false;
	init_lpis(events);
	init_tables();
	for (i = 0; i < COMMANDS; i++)
		queue[i] = i < firsts		 ? first[i]
			   : i < firsts + events ? mapti(i - firsts)
			   : i < maps		 ? inv
						 : (struct command){ { COMMAND_INT } };
	*cwriter = maps * ITS_COMMAND_BYTES;
	store64(ITS_CWRITER_GPA, *cwriter);
	if (!taken(*cwriter))
		return false;
	for (i = 0; i < maps; i++)
		queue[i] = (struct command){ { COMMAND_INT } };
	return true;
}

bool interrupt_setup_msi(uint32_t events)
{
	uint32_t cwriter;

	return interrupt_setup() && events <= ABI_AARCH64_MSI_EVENTS &&
	       its_init(events, &cwriter);
}
