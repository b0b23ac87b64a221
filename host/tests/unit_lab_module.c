/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of what a lab takes out of a kernel module before the module is loaded. */
#include <criterion/criterion.h>
#include <elf.h>
#include <string.h>

#include "host/targets/lab/initramfs.h"

enum { NONE, TEXT, RELA, SITES, ORC, ORC_IP, BTF, SYMBOLS, STRINGS, NAMES, SECTIONS };

static const char *const section_names[SECTIONS] = {
	"",
	"__mcount_loc+text",
	".rela.text",
	"__mcount_loc",
	".orc_unwind",
	".orc_unwind_ip",
	".BTF",
	".symtab",
	".strtab",
	".shstrtab",
};

/* Two functions, of which ftrace knows both, and a call of another function. */
static struct object {
	Elf64_Ehdr header;
	Elf64_Shdr sections[SECTIONS];
	Elf64_Rela rela[3];
	Elf64_Sym symbols[3];
	uint64_t sites[2];
	uint8_t text[32];
	char strings[32], names[160], data[16];
} object, before;

static void put_section(int i, uint32_t type, uint64_t flags, const void *at,
			size_t bytes)
{
	object.sections[i].sh_type = type;
	object.sections[i].sh_flags = flags;
	object.sections[i].sh_offset = (const uint8_t *)at - (const uint8_t *)&object;
	object.sections[i].sh_size = bytes;
}

static void put_call(int i, size_t at, uint32_t symbol)
{
	object.text[at] = 0xe8;
	object.rela[i] = (Elf64_Rela){
		.r_offset = at + 1,
		.r_info = ELF64_R_INFO(symbol, R_X86_64_PLT32),
		.r_addend = -4,
	};
}

static void begin(void)
{
	size_t used = 0;

	memset(&object, 0, sizeof(object));
	memcpy(object.header.e_ident, ELFMAG, SELFMAG);
	object.header.e_type = ET_REL;
	object.header.e_machine = EM_X86_64;
	object.header.e_shoff = offsetof(struct object, sections);
	object.header.e_shentsize = sizeof(Elf64_Shdr);
	object.header.e_shnum = SECTIONS;
	object.header.e_shstrndx = NAMES;
	for (int i = 0; i < SECTIONS; i++) {
		object.sections[i].sh_name = used;
		strcpy(object.names + used, section_names[i]);
		used += strlen(section_names[i]) + 1;
	}
	memcpy(object.strings, "\0printk\0__fentry__", 19);
	object.symbols[1].st_name = 1;
	object.symbols[2].st_name = 8;
	memset(object.text, 0x90, sizeof(object.text));
	put_call(0, 0, 2);
	put_call(1, 8, 1);
	put_call(2, 16, 2);
	put_section(TEXT, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, object.text,
		    sizeof(object.text));
	put_section(RELA, SHT_RELA, 0, object.rela, sizeof(object.rela));
	object.sections[RELA].sh_info = TEXT;
	object.sections[RELA].sh_link = SYMBOLS;
	put_section(SITES, SHT_PROGBITS, SHF_ALLOC, object.sites, sizeof(object.sites));
	put_section(ORC, SHT_PROGBITS, SHF_ALLOC, object.data, sizeof(object.data));
	put_section(ORC_IP, SHT_PROGBITS, SHF_ALLOC, object.data, sizeof(object.data));
	put_section(BTF, SHT_PROGBITS, 0, object.data, sizeof(object.data));
	put_section(SYMBOLS, SHT_SYMTAB, 0, object.symbols, sizeof(object.symbols));
	object.sections[SYMBOLS].sh_link = STRINGS;
	put_section(STRINGS, SHT_STRTAB, 0, object.strings, sizeof(object.strings));
	put_section(NAMES, SHT_STRTAB, 0, object.names, sizeof(object.names));
}

static void trim(void)
{
	before = object;
	lab_module_trim((uint8_t *)&object, sizeof(object));
}

static const char *name(int i)
{
	return object.names + object.sections[i].sh_name;
}

/* As ftrace_init_nop() of Linux does it for each entry of the table. */
Test(module, calls_of_ftrace_become_nops)
{
	static const uint8_t nop[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };

	begin();
	trim();
	cr_expect(!memcmp(object.text, nop, 5));
	cr_expect(!memcmp(object.text + 5, before.text + 5, 11),
		  "the call of printk stays");
	cr_expect(!memcmp(object.text + 16, nop, 5));
	cr_expect(!memcmp(object.text + 21, before.text + 21, 11));
	cr_expect_eq(ELF64_R_TYPE(object.rela[0].r_info), R_X86_64_NONE);
	cr_expect(!memcmp(&object.rela[1], &before.rela[1], sizeof(object.rela[1])));
	cr_expect_eq(ELF64_R_TYPE(object.rela[2].r_info), R_X86_64_NONE);
	cr_expect_str_eq(name(SITES), "_mcount_loc");
	cr_expect(!memcmp(object.names, before.names, sizeof(object.names)),
		  "a name may be the end of another");
}

Test(module, types_for_bpf_are_not_found)
{
	begin();
	trim();
	cr_expect_str_eq(name(BTF), "BTF");
	for (int i = 0; i < SECTIONS; i++)
		if (i != SITES && i != BTF) /* the unwinder's stay */
			cr_expect_str_eq(name(i), section_names[i]);
}

static void expect_untouched(const char *why)
{
	trim();
	cr_expect(!memcmp(&object, &before, sizeof(object)), "%s", why);
}

/* The kernel would leave a call that its table lacks, and find none where it has one. */
Test(module, calls_stay_where_the_table_has_others)
{
	begin();
	object.sections[SITES].sh_size = sizeof(uint64_t);
	expect_untouched("one entry for two calls");
	begin();
	object.text[16] = 0x90;
	expect_untouched("two entries for one call");
}

Test(module, command_lines_that_keep_a_module_whole)
{
	static const char *const whole[] = { "wsbench.whole=1",
					     "quiet wsbench.whole=1\n",
					     "a -- wsbench.whole=1 b",
					     "quiet ftrace=function",
					     "ftrace_filter=kvm_* quiet",
					     "trace_event=kvm:kvm_exit",
					     "kprobe_event=p,kvm_vcpu_ioctl" };
	static const char *const trimmed[] = {
		"",
		"quiet\n",
		"wsbench.whole=0",
		"wsbench.whole=10",
		"xwsbench.whole=1",
		"initcall_blacklist=ftrace_check_for_weak_functions,trace_eval_init",
	};

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		cr_expect(lab_is_whole(whole[i]), "%s", whole[i]);
	for (size_t i = 0; i < sizeof(trimmed) / sizeof(trimmed[0]); i++)
		cr_expect_not(lab_is_whole(trimmed[i]), "%s", trimmed[i]);
}

Test(module, other_and_damaged_images_stay_as_they_are)
{
	begin();
	object.header.e_machine = EM_AARCH64;
	expect_untouched("another architecture");
	begin();
	object.header.e_shoff = sizeof(object) - 8;
	expect_untouched("sections beyond the end");
	begin();
	object.header.e_shstrndx = SECTIONS;
	expect_untouched("no names");
	begin();
	object.sections[TEXT].sh_offset = sizeof(object);
	expect_untouched("code beyond the end");
	begin();
	object.sections[NAMES].sh_size = 8;
	object.names[7] = 'x';
	expect_untouched("a name without an end");
	before = object;
	for (size_t bytes = 0; bytes < sizeof(object.header); bytes++)
		lab_module_trim((uint8_t *)&object, bytes);
	cr_expect(!memcmp(&object, &before, sizeof(object)), "a truncated header");
}

/* Whatever a relocation names, nothing outside of the image is read or written. */
Test(module, damaged_relocations_are_ignored)
{
	begin();
	object.rela[0].r_offset = UINT64_MAX;
	trim();
	cr_expect(!memcmp(object.text, before.text, sizeof(object.text)));
	begin();
	object.rela[0].r_offset = 0;
	trim();
	cr_expect(!memcmp(object.text, before.text, sizeof(object.text)));
	begin();
	object.rela[0].r_info = ELF64_R_INFO(0xffffffff, R_X86_64_PLT32);
	trim();
	cr_expect(!memcmp(object.text, before.text, sizeof(object.text)));
	begin();
	object.symbols[2].st_name = 0xffffffff;
	trim();
	cr_expect(!memcmp(object.text, before.text, sizeof(object.text)));
	begin();
	object.sections[RELA].sh_info = SECTIONS;
	trim();
	cr_expect(!memcmp(object.text, before.text, sizeof(object.text)));
	begin();
	object.sections[SYMBOLS].sh_link = SECTIONS;
	trim();
	cr_expect(!memcmp(object.text, before.text, sizeof(object.text)));
	/* The offset of a section without data is not that of anything. */
	for (int i = SYMBOLS; i <= STRINGS; i++) {
		begin();
		object.sections[i].sh_type = SHT_NOBITS;
		object.sections[i].sh_offset = 1ull << 40;
		expect_untouched(section_names[i]);
	}
}
