/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What both decoders share. */
#include "host/explain/decode.h"

static const char *const x86_registers[] = {
	"cr0", "cr1", "cr2",  "cr3",  "cr4",  "cr5",  "cr6",  "cr7",
	"cr8", "cr9", "cr10", "cr11", "cr12", "cr13", "cr14", "cr15",
	"dr0", "dr1", "dr2",  "dr3",  "dr4",  "dr5",  "dr6",  "dr7",
	"msr", "xcr", "tsc",  "pmc",  "gdtr", "idtr", "ldtr", "tr",
};

void decode_insn(enum arch arch, const uint8_t *insn, size_t bytes, uint64_t vaddr,
		 struct decode *d)
{
	if (arch == ARCH_X86_64)
		decode_x86_64(insn, bytes, vaddr, d);
	else
		decode_aarch64(insn, bytes, vaddr, d);
}

const char *decode_register(enum arch arch, uint32_t reg,
			    char text[DECODE_REGISTER_BYTES])
{
	if (arch == ARCH_AARCH64)
		return decode_sysreg_aarch64(reg, text);
	return reg < sizeof(x86_registers) / sizeof(x86_registers[0]) ? x86_registers[reg]
								      : "unknown";
}
