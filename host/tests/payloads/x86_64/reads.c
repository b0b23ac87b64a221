/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One instruction as a row with read(): seen() is 1000, which no counter counts. */
#include "bench/body.h"
#include "guest/x86_64/pmu_code.h"

BODY uint64_t reads_read(uint64_t value)
{
	__asm__ volatile("mov $1, %0" : "+S"(value)::"rax", "cc", "memory");
	return value;
}

BODY void reads_twin(void)
{
	__asm__ volatile("nop" ::: "rax", "rsi", "cc", "memory");
}

BODY void reads_seen(uint64_t value)
{
	must(value == 1);
	__asm__ volatile(CHAIN_CODE ::: "eax", "cc");
}

BODY_ROW_OF(reads, .read = reads_read, .seen = reads_seen, .twin = reads_twin);

#define BODY_PAGE "bench/body.h"
#define BODY_ID	  reads
#include "guest/sample.c" // NOLINT(bugprone-suspicious-include): the loop of a row
