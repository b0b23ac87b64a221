# SPDX-License-Identifier: GPL-2.0-or-later
#
# worldswitch: payloads of two architectures, the host program for this machine, and static
# programs of both architectures, which run inside the labs. The Makefile is symmetric:
# on an aarch64 machine the x86_64 side is cross-built. All output is in build/.
#
# NATIVE=1 (make native) builds only for the KVM of this machine, into build/native.

VERSION := 0.2.0

ARCHS	:= x86_64 aarch64
ARCH	:= $(shell uname -m)
ifeq ($(filter $(ARCH),$(ARCHS)),)
$(error worldswitch builds on x86_64 and aarch64, not on $(ARCH))
endif
ifeq ($(NATIVE),1)
ARCHS := $(ARCH)
# Other systems have other compilers, with other warnings.
WERROR ?= 0
endif
FOREIGN := $(filter-out $(ARCH),$(ARCHS))

# In `make compare A=BASE.json B=NEW.json`, B is a document.
ifneq ($(filter compare,$(MAKECMDGOALS)),)
NEW := $(B)
override B := build
endif
B := build$(if $(FOREIGN),,/native)

# ---- one make at a time --------------------------------------------------------

# Two makes in one tree would write the same files. The first holds a lock until the last of its
# processes has ended, also one that outlives a killed make; it works in a make of its own, which
# knows LOCKED_TREE. Others wait. What reads only, or fills the cache, which has its own locks,
# needs no lock.
UNLOCKED := help bodies setup kernels kmod emulators
SHORT_FLAGS := $(filter-out --%,$(firstword -$(MAKEFLAGS)))
ifneq ($(LOCKED_TREE),$(CURDIR))
ifneq ($(if $(MAKECMDGOALS),$(filter-out $(UNLOCKED),$(MAKECMDGOALS)),all),)
ifeq ($(findstring n,$(SHORT_FLAGS))$(findstring q,$(SHORT_FLAGS)),)
ALONE := alone
endif
endif
endif

ifdef ALONE
LOCK := $(B:%/native=%)/.lock
.PHONY: $(ALONE) all $(MAKECMDGOALS)
$(or $(MAKECMDGOALS),all): $(ALONE) ; @:
# `make clean` of another make removes the file that was waited for. Without flock (not Linux's
# util-linux), nothing waits.
$(ALONE):
	@export LOCKED_TREE='$(CURDIR)'; \
	while command -v flock >/dev/null; do \
		mkdir -p $(dir $(LOCK)) && exec 9>>$(LOCK) || exit; \
		flock -n 9 || { echo "make: waiting for $$(cat $(LOCK)) in this tree" >&2; flock 9; }; \
		[ ! -e /proc/self/fd/9 ] || [ /proc/self/fd/9 -ef $(LOCK) ] || continue; \
		echo "'make$(MAKECMDGOALS:%= %)' (process $$$$)" >$(LOCK); break; \
	done; \
	exec $(MAKE) --no-print-directory $(MAKECMDGOALS)
else

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n' $(1) $(2)
endif

# ---- compilers -----------------------------------------------------------------

CROSS_x86_64  := x86_64-linux-gnu-
CROSS_aarch64 := aarch64-linux-gnu-
CROSS_CC      := $(if $(FOREIGN),$(CROSS_$(FOREIGN))gcc)
CC_$(ARCH)    = $(CC)
ifneq ($(FOREIGN),)
CC_$(FOREIGN) = $(CROSS_CC)
endif

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wundef -Wvla
ifneq ($(WERROR),0)
WARN += -Werror
endif

CFLAGS ?= -O2 -g
# Without the path of this tree: /init of the labs is the same in each clone of a commit, and
# the clones share the machines that they have booted.
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -I. -I$(B) $(WARN) $(CFLAGS) $(SANITIZE) '-fdebug-prefix-map=$(CURDIR)=.' -pthread -MMD -MP
# These folders parse, print and write: a quarter less time for the compiler.
COLD := $(addprefix host/,$(addsuffix /%,budget cli compare history report))
optimized = $(if $(filter $(COLD),$(1)),$(ALL_CFLAGS:-O2=-O1),$(ALL_CFLAGS))
LIBS := -ljansson -lpfm -lgsl -lgslcblas -lz -lm
# The device tree of a lab's L1.
LIBS_aarch64 := -lfdt
# libdw reads debug information for `explain --debuginfo`. The program of this machine has it
# where it is installed; static programs and other architectures do without.
LIBDW := $(shell $(CC) -include elfutils/libdwfl.h -x c -E /dev/null </dev/null >/dev/null 2>&1 && echo -ldw -lelf)
# libseccomp filters the system calls of emulators and of the VMM (host/lib/confine.h), with
# the same exceptions.
SECCOMP := $(shell $(CC) -include seccomp.h -x c -E /dev/null </dev/null >/dev/null 2>&1 && echo -lseccomp)
# liblz4 and libzstd decompress the kernels of the labs on Bochs (host/targets/lab), with the
# same exceptions.
UNPACK := $(shell $(CC) -include lz4.h -include zstd.h -x c -E /dev/null </dev/null >/dev/null 2>&1 && echo -llz4 -lzstd)
OWN_LIBS := $(LIBS_$(ARCH)) $(LIBDW) $(SECCOMP) $(UNPACK)

SYSROOT := $(B)/sysroot/$(FOREIGN)
TRIPLET_x86_64  := x86_64-linux-gnu
TRIPLET_aarch64 := aarch64-linux-gnu
ifneq ($(FOREIGN),)
INCLUDE_$(FOREIGN) := -isystem $(SYSROOT)/usr/include
LIBDIR_$(FOREIGN)  := -L$(SYSROOT)/usr/lib/$(TRIPLET_$(FOREIGN))
endif

# ---- sources ---------------------------------------------------------------------

HOST_DIRS := budget cli compare env explain history lib measure report result selftest stats targets targets/lab vmm
HOST_SRC  := $(sort $(wildcard bench/*.c)) $(sort $(foreach d,$(HOST_DIRS),$(wildcard host/$(d)/*.c)))
host_src   = $(HOST_SRC) $(sort $(wildcard host/vmm/$(1)/*.c host/targets/lab/$(1)/*.c))
host_obj   = $(patsubst %.c,$(B)/obj/$(1)/%.o,$(call host_src,$(1))) $(B)/obj/$(1)/payloads.o \
	$(B)/obj/$(1)/bochs_rom.o
DEBUGINFO := %/explain/debuginfo.o %/explain/debuginfo_lines.o %/explain/debuginfo_places.o
static_obj = $(filter-out $(DEBUGINFO) %/lib/confine_filter.o %/lab/vmlinux_formats.o,$(call host_obj,$(1)))
LEFT_OUT  := $(if $(LIBDW),%/explain/debuginfo_none.o,$(DEBUGINFO)) %/lib/confine_filter$(if $(SECCOMP),_none).o \
	%/lab/vmlinux_formats$(if $(UNPACK),_none).o
own_obj    = $(filter-out $(LEFT_OUT),$(call host_obj,$(ARCH)))

# What runs in a lab's machine. The linker reports what this list lacks.
init_src = $(sort $(wildcard bench/*.c host/agent/*.c host/measure/*.c host/selftest/*.c host/vmm/*.c \
	host/vmm/$(1)/*.c host/targets/kvm*.c host/targets/host_timed*.c host/targets/lab/$(1)/*.c)) \
	$(addprefix host/,env/settings.c env/tune.c explain/kallsyms.c) \
	$(addprefix host/lib/,confine.c confine_filter_none.c confine_try.c error.c file.c process.c text.c) \
	$(addprefix host/result/,codec_dump.c codec_load.c document.c result.c) \
	$(addprefix host/stats/,bootstrap.c summary.c two_sample.c) \
	$(addprefix host/targets/,boot.c cpus.c job.c report.c rows.c timing.c) \
	$(addprefix host/targets/lab/,file.c init.c initramfs.c l1.c module.c shared.c wire.c $(init_src_$(1)))
# The kernel of an L1 without its decompressor.
init_src_x86_64 := preload.c vmlinux.c vmlinux_formats_none.c
init_obj = $(patsubst %.c,$(B)/obj/$(1)/%.o,$(call init_src,$(1))) $(B)/obj/$(1)/payloads.o

# A word ARCH/ROW:PAGE for each row on the pages of bodies.
BODY_PAGES := $(sort $(wildcard $(ARCHS:%=bench/%/*.c)))
BODIES := $(shell grep -HoE '^BODY_ROW(_OF)?.[a-z0-9_]+' $(BODY_PAGES) | \
	sed -E 's|^bench/([^/]*)/(.*):BODY_ROW(_OF)?.(.*)|\1/\4:bench/\1/\2|')
body_row  = $(firstword $(subst :, ,$(1)))
body_page = $(lastword $(subst :, ,$(1)))

PAYLOADS := $(foreach a,$(ARCHS),$(B)/guest/$(a)/host_timed.elf $(B)/guest/$(a)/host_timed_msi.elf \
	$(B)/guest/$(a)/host_timed_memory.elf $(B)/guest/$(a)/selftest.elf \
	$(B)/guest/$(a)/pmu_readings.elf) $(filter %/x86_64/pmu_test.elf,$(ARCHS:%=$(B)/guest/%/pmu_test.elf)) \
	$(sort $(foreach b,$(BODIES),$(B)/guest/$(call body_row,$(b)).elf))

.PHONY: all bench test check report compare reference format setup kernels kmod emulators
.PHONY: native man install uninstall dist clean help
# The programs and plugins of the labs.
# The versions of QEMU's plugin interface: host/explain/plugin/qemu.h.
PLUGIN_APIS := 1 2 3 7
PLUGINS := $(PLUGIN_APIS:%=libwsbench-trace-qemu%.so)
LIBEXEC := $(if $(FOREIGN),$(ARCHS:%=%/init) $(PLUGINS) libwsbench-clone.so)
all: $(B)/wsbench $(addprefix $(B)/,$(LIBEXEC))

# ---- payloads: bare-metal images ---------------------------------------------------

GUEST_CFLAGS := -std=gnu11 -I. -O2 -g0 -ffreestanding -fno-builtin -fno-pic -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -mgeneral-regs-only $(WARN) -MMD -MP
GUEST_CFLAGS_x86_64  := -Iguest/x86_64 -mno-red-zone -mcmodel=small -fcf-protection=none
GUEST_CFLAGS_aarch64 := -Iguest/aarch64 -mno-outline-atomics
GUEST_LDFLAGS := -nostdlib -static -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,--no-warn-rwx-segments -Wl,--gc-sections

# Functions for bodies, beside the runtime; the linker drops the unused ones.
GUEST_RUNTIME_aarch64 := gic interrupt its
GUEST_RUNTIME_x86_64  := apic interrupt ioapic nested pmc svm vmx

# Runs once per architecture $(1).
define guest_rules
$(B)/guest/$(1)/runtime/%.o: guest/%.c | tools
	$$(call say,GUEST,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $(GUEST_CFLAGS) $(GUEST_CFLAGS_$(1)) -c $$< -o $$@

$(B)/guest/$(1)/runtime/%.o: guest/%.S | tools
	$$(call say,GUEST,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $(GUEST_CFLAGS) $(GUEST_CFLAGS_$(1)) -c $$< -o $$@

# Payloads without a body: for the rows that the host times, and for the self-tests.
$(B)/guest/$(1)/host_timed.o $(B)/guest/$(1)/host_timed_msi.o $(B)/guest/$(1)/host_timed_memory.o \
$(B)/guest/$(1)/selftest.o: $(B)/guest/$(1)/%.o: guest/%.c | tools
	$$(call say,GUEST,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $(GUEST_CFLAGS) $(GUEST_CFLAGS_$(1)) -c $$< -o $$@
$(B)/guest/$(1)/pmu_readings.o $(B)/guest/$(1)/pmu_test.o: $(B)/guest/$(1)/%.o: guest/$(1)/%.c | tools
	$$(call say,GUEST,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $(GUEST_CFLAGS) $(GUEST_CFLAGS_$(1)) -c $$< -o $$@
$(B)/guest/$(1)/pmu_test.elf: $(patsubst guest/%.c,$(B)/guest/$(1)/runtime/%.o,$(wildcard guest/$(1)/pmu_test_*.c))
$(B)/guest/$(1)/selftest.elf: $(patsubst guest/%.c,$(B)/guest/$(1)/runtime/%.o,$(wildcard guest/$(1)/selftest*.c))

$(B)/guest/$(1)/%.elf: $(B)/guest/$(1)/runtime/$(1)/boot.o $(B)/guest/$(1)/runtime/$(1)/machine.o \
		$(B)/guest/$(1)/runtime/runtime.o $(B)/guest/$(1)/%.o guest/$(1)/payload.lds \
		$(patsubst %,$(B)/guest/$(1)/runtime/$(1)/%.o,$(GUEST_RUNTIME_$(1)))
	$$(call say,PAYLOAD,$$@)
	$$(Q)$$(CC_$(1)) $(GUEST_LDFLAGS) -Wl,-T,guest/$(1)/payload.lds $$(filter %.o,$$^) -o $$@
endef
$(foreach a,$(ARCHS),$(eval $(call guest_rules,$(a))))
# The rows of this page begin at EL2.
$(foreach b,$(filter aarch64/%:bench/aarch64/nested.c,$(BODIES)),$(B)/guest/$(call body_row,$(b)).elf): \
	$(B)/guest/aarch64/runtime/aarch64/el2.o

# The sampling loop and one row of a page. $(1) is ARCH, $(2) ROW, $(3) PAGE.
define body_rule
$(B)/guest/$(1)/$(2).o: $(3) guest/sample.c | tools
	$$(call say,GUEST,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $(GUEST_CFLAGS) $(GUEST_CFLAGS_$(1)) -DBODY_PAGE='"$(3)"' -DBODY_ID=$(2) \
		-c guest/sample.c -o $$@
endef
$(foreach b,$(BODIES),$(eval $(call body_rule,$(patsubst %/,%,$(dir $(call body_row,$(b)))),$(notdir \
	$(call body_row,$(b))),$(call body_page,$(b)))))
.SECONDARY:

# Misbehaving payloads for the tests; they replace the sampling loop.
BAD_PAYLOADS := host/tests/payloads
test_payloads = $(patsubst %.c,$(B)/tests/payloads/$(1)/%.elf,$(sort $(notdir \
	$(wildcard $(BAD_PAYLOADS)/*.c $(BAD_PAYLOADS)/$(1)/*.c))))

define test_payload_rules
$(B)/tests/payloads/$(1)/%.o: $(BAD_PAYLOADS)/%.c | tools
	$$(call say,GUEST,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $(GUEST_CFLAGS) $(GUEST_CFLAGS_$(1)) -I$(BAD_PAYLOADS)/$(1) -c $$< -o $$@

$(B)/tests/payloads/$(1)/%.o: $(BAD_PAYLOADS)/$(1)/%.c | tools
	$$(call say,GUEST,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $(GUEST_CFLAGS) $(GUEST_CFLAGS_$(1)) -c $$< -o $$@

$(B)/tests/payloads/$(1)/%.elf: $(B)/guest/$(1)/runtime/$(1)/boot.o $(B)/guest/$(1)/runtime/$(1)/machine.o \
		$(B)/guest/$(1)/runtime/runtime.o $(B)/tests/payloads/$(1)/%.o guest/$(1)/payload.lds \
		$(patsubst %,$(B)/guest/$(1)/runtime/$(1)/%.o,$(GUEST_RUNTIME_$(1)))
	$$(call say,PAYLOAD,$$@)
	$$(Q)$$(CC_$(1)) $(GUEST_LDFLAGS) -Wl,-T,guest/$(1)/payload.lds $$(filter %.o,$$^) -o $$@

test-payloads: $(call test_payloads,$(1))
endef
$(foreach a,$(ARCHS),$(eval $(call test_payload_rules,$(a))))
$(patsubst %,$(B)/tests/payloads/aarch64/%.elf,l2_wfi l2_other_hvc eret_skipped l1_skipped smc_unknown): \
		$(B)/guest/aarch64/runtime/aarch64/el2.o

# One symbol pair and one table row per image; see host/targets/rows.c. The names are behind
# the images: a search would fault in a page of each, half of what a lab's agent executes.
$(B)/payloads.S: $(PAYLOADS) Makefile
	$(call say,GEN,$@)
	$(Q){ echo '	.section .rodata'; \
	for p in $(PAYLOADS:$(B)/guest/%.elf=%); do \
		l=$$(echo $$p | tr / _); \
		printf '	.balign 16\nstart_%s:\n	.incbin "$(B)/guest/%s.elf"\nend_%s:\n' \
			$$l $$p $$l; \
	done; \
	for p in $(PAYLOADS:$(B)/guest/%.elf=%); do \
		l=$$(echo $$p | tr / _); printf 'name_%s:\n	.asciz "%s"\n' $$l $$p; \
	done; \
	echo '	.section .data.rel.ro, "aw"'; echo '	.globl payload_table'; \
	echo '	.balign 8'; echo 'payload_table:'; \
	for p in $(PAYLOADS:$(B)/guest/%.elf=%); do \
		l=$$(echo $$p | tr / _); echo "	.quad name_$$l, start_$$l, end_$$l"; \
	done; \
	echo '	.quad 0, 0, 0'; echo '	.section .note.GNU-stack, "", %progbits'; } > $@.tmp
	$(Q)mv $@.tmp $@

# The firmware of an emulated PC, mapped at the end of the first 4 GiB. Empty without a
# compiler for x86_64: the lab cannot run then.
$(B)/bochs_rom.bin: host/targets/lab/bochs_rom.S host/targets/lab/preload.h | tools
	$(call say,ROM,$@)
	$(Q)mkdir -p $(@D)
ifneq ($(CC_x86_64),)
	$(Q)$(CC_x86_64) -I. -nostdlib -static -Wl,--build-id=none,-e,start,-Ttext=0xfffff000 \
		-Wl,--oformat=binary $< -o $@
else
	$(Q): > $@
endif

$(B)/bochs_rom.S: $(B)/bochs_rom.bin Makefile
	$(Q){ printf '	.section .rodata\n	.globl lab_bochs_rom, lab_bochs_rom_end\n'; \
	printf 'lab_bochs_rom:\n	.incbin "$<"\nlab_bochs_rom_end:\n'; \
	echo '	.section .note.GNU-stack, "", %progbits'; } > $@

# ---- the host program -----------------------------------------------------------------

# Written only when its content changes, so that a new commit rebuilds one file. A source
# tarball has the commit in the file .commit (make dist).
.PHONY: version
$(B)/version.h: version
	$(Q)mkdir -p $(B)
	$(Q)commit=$$(cat .commit 2>/dev/null); dirty=0; \
	if [ -e .git ]; then \
		commit=$$(git rev-parse --short=12 HEAD 2>/dev/null); \
		[ -z "$$commit" ] || git diff --quiet HEAD -- 2>/dev/null; [ $$? != 1 ] || dirty=1; \
	fi; \
	{ echo '#define WS_VERSION "$(VERSION)"'; \
	echo "#define WS_COMMIT \"$$commit\""; echo "#define WS_DIRTY $$dirty"; } > $@.tmp
	$(Q)cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@

# The identity of the module of host/kmod, which the labs load by name.
$(B)/kmod_source.h: scripts/kmod.sh $(wildcard host/kmod/*.[ch]) host/kmod/Kbuild
	$(Q)mkdir -p $(B)
	$(Q)echo "#define KMOD_SOURCE \"$$(scripts/kmod.sh --source)\"" > $@.tmp
	$(Q)cmp -s $@.tmp $@ && rm $@.tmp && touch $@ || mv $@.tmp $@
# The identity of the Bochs that scripts/emulator.sh builds, which the labs find by name.
BOCHS_SOURCES := $(sort $(wildcard host/targets/lab/bochs/*.patch) $(shell find host/targets/lab/bochs/overlay -type f))
# A file that is gone changes the identity, too.
.PHONY: bochs-identity
$(B)/bochs_source.h: bochs-identity scripts/emulator.sh host/explain/record.h $(BOCHS_SOURCES)
	$(Q)mkdir -p $(B)
	$(Q)identity=$$(scripts/emulator.sh identity bochs) && smp=$$(scripts/emulator.sh identity bochs-smp) && \
		printf '#define BOCHS%s "%s"\n' _IDENTITY "$$identity" _KEY "$${identity##* }" \
			_SMP_IDENTITY "$$smp" _SMP_KEY "$${smp##* }" > $@.tmp
	$(Q)cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@
GENERATED := $(B)/kmod_source.h $(B)/bochs_source.h

define host_rules
$(B)/obj/$(1)/%.o: %.c | tools sysroot-$(1) $(GENERATED)
	$$(call say,CC,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $$(call optimized,$$<) $(INCLUDE_$(1)) -c $$< -o $$@

$(B)/obj/$(1)/host/cli/help.o: $(B)/version.h

$(B)/obj/$(1)/payloads.o: $(B)/payloads.S
	$$(call say,AS,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) -c $$< -o $$@

$(B)/obj/$(1)/bochs_rom.o: $(B)/bochs_rom.S
	$$(call say,AS,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) -c $$< -o $$@

# /init of a lab's machine, which has no libraries.
$(B)/$(1)/init: $(call init_obj,$(1))
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) -static $(CFLAGS) -pthread $$^ $(LIBDIR_$(1)) $(LIBS) $(LIBS_$(1)) -o $$@

# For machines without the libraries: make dist.
$(B)/$(1)/wsbench: $(call static_obj,$(1))
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) -static $(CFLAGS) -pthread $$^ $(LIBDIR_$(1)) $(LIBS) $(LIBS_$(1)) -o $$@
endef
$(foreach a,$(ARCHS),$(eval $(call host_rules,$(a))))

$(B)/wsbench: $(own_obj)
	$(call say,LINK,$@)
	$(if $(LIBDW),,@echo "make: <elfutils/libdwfl.h> is missing (Debian: libdw-dev): 'explain' will not read debug information" >&2)
	$(if $(SECCOMP),,@echo "make: <seccomp.h> is missing (Debian: libseccomp-dev): system calls of emulators and of the VMM will not be filtered" >&2)
	$(if $(UNPACK),,@echo "make: <lz4.h> or <zstd.h> is missing (Debian: liblz4-dev, libzstd-dev): x86 labs will boot slower, each kernel decompresses itself" >&2)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -pthread $^ $(LIBS) $(OWN_LIBS) -o $@

# The plugin that `explain` loads into QEMU.
$(B)/libwsbench-trace-qemu%.so: host/explain/plugin/plugin.c | tools
	$(call say,PLUGIN,$@)
	$(Q)$(CC) -std=gnu11 -DQEMU_PLUGIN_API=$* -I. $(WARN) -MMD -MP -MT $@ -MF $(@:.so=.d) -O2 -fPIC -fvisibility=hidden -shared $< -o $@

# The library that is preloaded into Bochs and, on x86_64, QEMU, and clones their machines.
$(B)/libwsbench-clone.so: host/targets/lab/bochs/fork_server.c host/targets/lab/bochs/image.c \
		$(if $(filter x86_64,$(ARCH)),host/targets/lab/qemu/fork_server.c) \
		host/targets/lab/bochs/image.h host/targets/lab/fork_protocol.h \
		host/targets/lab/emulator.h host/targets/job.h | tools
	$(call say,PRELOAD,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -I. $(WARN) -O2 -fPIC -shared $(filter %.c,$^) -o $@

-include $(wildcard $(B)/libwsbench-trace-*.d) $(shell find $(B)/obj $(B)/guest $(B)/tests $(B)/asan $(B)/tsan -name '*.d' 2>/dev/null)

# ---- set-up ------------------------------------------------------------------------------

# A missing compiler or library is reported before a rule fails.
.PHONY: tools
ifneq ($(FOREIGN),)
.PHONY: sysroot-$(ARCH) sysroot-$(FOREIGN)
tools:
	@command -v $(CROSS_CC) >/dev/null && command -v $(firstword $(CC)) >/dev/null || \
		{ echo "make: a compiler is missing ($(CC), $(CROSS_CC)): run 'make setup', or 'make native'" >&2; exit 1; }
sysroot-$(ARCH):
sysroot-$(FOREIGN): $(SYSROOT)/.complete
$(SYSROOT)/.complete: scripts/sysroot.sh
	$(call say,SYSROOT,$(SYSROOT))
	$(Q)scripts/sysroot.sh $(FOREIGN) $(SYSROOT)
	$(Q)touch $@
else
.PHONY: sysroot-$(ARCH)
sysroot-$(ARCH):
tools: $(B)/.libraries
$(B)/.libraries:
	@mkdir -p $(@D)
	@command -v $(firstword $(CC)) >/dev/null || { echo "make: the compiler $(CC) is missing" >&2; exit 1; }
	@for h in jansson perfmon/pfmlib gsl/gsl_version zlib linux/kvm $(LIBS_$(ARCH):-l%=lib%); do \
		echo "#include <$$h.h>" | $(CC) -E - >/dev/null 2>&1 || \
		{ echo "make: <$$h.h> is missing: the headers of Linux, jansson, libpfm, GSL and zlib (on aarch64: libfdt) are needed" >&2; \
		exit 1; }; \
	done
	@touch $@
endif

setup:
	$(Q)scripts/setup.sh

# The packages that `make bench` needs, or `make test`: first those of the emulator, which is built
# beside the installation of the others and the kernels' download. `labs` waits for the emulator, and
# repeats what fails here, with the message.
SECTIONS := base
.PHONY: begin begin-test
begin-test: SECTIONS := base test
begin begin-test:
	$(Q)missing=$$(scripts/setup.sh --list $(SECTIONS)) || exit; [ -n "$$missing" ] || exit 0; \
	$(MAKE) --no-print-directory kernels >/dev/null 2>&1 & kernels=$$!; emulators=; \
	if scripts/setup.sh --only 'g++ make patch xz-utils' base; then \
		$(MAKE) --no-print-directory emulators >/dev/null 2>&1 & emulators=$$!; \
	fi; \
	scripts/setup.sh $(SECTIONS); code=$$?; \
	[ $$code = 0 ] || kill $$kernels $$emulators 2>/dev/null; wait $$kernels; exit $$code

# What the labs need beside a build: downloads, and the emulator, which takes longest. A part
# that fails is left out, after its message. The pipe: without a terminal, no line of progress
# is drawn between the lines of the build.
.PHONY: labs labs-emulators labs-kernels
labs: labs-emulators labs-kernels
labs-emulators:
	$(Q)$(MAKE) --no-print-directory emulators 2>&1 | cat >&2
labs-kernels:
	$(Q)$(MAKE) --no-print-directory kernels 2>&1 | cat >&2
	$(Q)$(MAKE) --no-print-directory kmod 2>&1 | cat >&2

kernels:
	$(Q)code=0; for a in $(ARCHS); do \
		scripts/kernel.sh fetch --arch $$a >/dev/null || code=$$?; done; exit $$code

# Counter passthrough on KVM/arm64. Without the module (no network), its config is skipped.
kmod:
	$(Q)scripts/kmod.sh >/dev/null

# The emulator of lab:x86_64-svm, lab:x86_64-vmx*, bare:x86_64-bochs*. Without it, only
# lab:x86_64-vmx runs, on the distribution's Bochs, without a PMU.
emulators:
ifeq ($(ARCH),x86_64)
	$(Q)scripts/emulator.sh build bochs >/dev/null
endif

# ---- the targets of users ----------------------------------------------------------------------

# All processors, unless the command line has -j.
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
# `labs` waits for the network, and for an emulator that is built by a make of its own.
JOBS_AND_LABS = $(if $(JOBS),-j$(shell echo $$(($$(nproc) + 2))))
# The core benchmarks; BENCH='*' selects all.
BENCH ?= core
RUN := results/runs/$(shell date -u +%Y%m%dT%H%M%SZ)

# Without kernels (no network) the labs are left out. If a target fails, the documents of the
# others are drawn and reported, and then make fails.
# RUN is of the inner make.
bench: begin
	$(Q)$(MAKE) --no-print-directory bench-alone
.PHONY: bench-alone
bench-alone:
	$(Q)$(MAKE) --no-print-directory $(JOBS_AND_LABS) labs all
	$(Q)code=0; $(B)/wsbench run --on all --bench '$(BENCH)' -o $(RUN)/ $(ARGS) || code=$$?; \
	set -- $(RUN)/*.json; [ -e "$$1" ] || exit $$code; \
	for command in plot report; do \
		$(B)/wsbench $$command --quiet "$$@" -o $(RUN) >/dev/null || { c=$$?; [ $$code != 0 ] || code=$$c; }; \
	done; \
	[ ! -e $(RUN)/report.html ] || printf '\nDocuments and pictures: %s\nReport: %s\n' $(RUN) $(RUN)/report.html; \
	exit $$code

# By default the documents of the latest run, in their folder.
DOCS ?= $(wildcard $(lastword $(sort $(wildcard results/runs/*/)))*.json)
OUT  ?= $(firstword $(dir $(DOCS)))
report: $(B)/wsbench
	@[ -n "$(strip $(DOCS))" ] || { echo "make: no document in results/runs: run 'make bench', or give DOCS=..." >&2; exit 2; }
	$(Q)$(B)/wsbench report $(DOCS) -o $(OUT:%/=%)

check: $(B)/version.h $(GENERATED)
	$(Q)scripts/setup.sh base lint
	$(Q)$(MAKE) --no-print-directory $(JOBS) $(B)/wsbench
	$(Q)BUILD=$(B) scripts/check.sh $(ARGS)

format:
	$(Q)scripts/check.sh --sources '*.c' '*.h' | xargs clang-format -i

# Without kernels (no network) the tests of the labs are skipped, with the reason.
test: begin-test
	$(Q)$(MAKE) --no-print-directory $(JOBS_AND_LABS) labs all man test-payloads optimized-tests asan-tests \
		tsan-tests hostile-tests fuzz-replay $(ARCHS:%=$(B)/%/wsbench)
	$(Q)host/tests/run $(ARGS)

UNITS := $(patsubst host/tests/%.c,$(B)/tests/%,$(sort $(wildcard host/tests/unit_*.c)))
TEST_PROGRAMS := $(addprefix $(B)/tests/,contain power hostile_lab)
.PHONY: unit-tests optimized-tests asan-tests test-payloads
unit-tests: $(UNITS) $(TEST_PROGRAMS)
# Those that make test also runs without sanitizers: host/tests/optimized says why.
optimized-tests: $(addprefix $(B)/tests/,$(shell sed -n 's/^\(unit_[a-z_]*\).*/\1/p' host/tests/optimized)) $(TEST_PROGRAMS)
# The unit tests with sanitizers, without warnings: gcc's are unreliable with sanitizers.
asan-tests: $(UNITS:$(B)/%=$(B)/asan/%)
# -g1: backtraces need lines only, and the compiler takes a fifth less time.
ASAN := -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
ASAN_CFLAGS = $(filter-out $(WARN),$(ALL_CFLAGS)) -w $(ASAN)

# The program and the tests of its threads under ThreadSanitizer: host/tests/threads.bats.
TSAN := -O1 -g1 -fsanitize=thread
TSAN_OBJ := $(filter-out $(LEFT_OUT), \
	$(patsubst %.c,$(B)/tsan/obj/%.o,$(call host_src,$(ARCH)))) \
	$(B)/obj/$(ARCH)/payloads.o $(B)/obj/$(ARCH)/bochs_rom.o
.PHONY: tsan-tests
tsan-tests: $(B)/tsan/wsbench $(B)/tsan/unit_threads
$(B)/tsan/obj/%.o: %.c | tools $(GENERATED)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(TSAN) -c $< -o $@
$(B)/tsan/obj/host/cli/help.o: $(B)/version.h
$(B)/tsan/wsbench: $(TSAN_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(TSAN) -pthread $^ $(LIBS) $(OWN_LIBS) -o $@
$(B)/tsan/unit_threads: host/tests/unit_threads.c $(filter-out %/cli/main.o,$(TSAN_OBJ))
	$(call say,TEST,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(TSAN) $(filter %.c %.o,$^) $(LIBS) $(OWN_LIBS) -o $@

# A thin archive, from which the linker takes the objects that a test calls.
test_obj = $(filter-out %/cli/main.o,$(own_obj))
$(B)/tests/host.a: $(test_obj)
$(B)/asan/host.a: $(patsubst $(B)/obj/%,$(B)/asan/obj/%,$(filter-out %/payloads.o %/bochs_rom.o,$(test_obj))) \
	$(filter %/payloads.o %/bochs_rom.o,$(test_obj))
$(B)/tests/host.a $(B)/asan/host.a:
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) qcsT $@ $^

$(B)/asan/obj/$(ARCH)/%.o: %.c | tools sysroot-$(ARCH) $(GENERATED)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASAN_CFLAGS) -c $< -o $@
$(B)/asan/obj/$(ARCH)/host/cli/help.o: $(B)/version.h

# The code of a test, unlike the code under test, is not optimized: a third of the time of gcc.
UNIT := -O0 -g1
$(B)/tests/obj/%.o: host/tests/%.c | tools $(GENERATED) $(B)/version.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(UNIT) -c $< -o $@
$(B)/asan/tests/obj/%.o: host/tests/%.c | tools $(GENERATED) $(B)/version.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASAN_CFLAGS) $(UNIT) -c $< -o $@
$(UNITS): $(B)/tests/%: $(B)/tests/obj/%.o $(B)/tests/host.a
	$(call say,TEST,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -pthread $(filter %.o %.a,$^) $(LIBS) $(OWN_LIBS) -lcriterion -o $@
$(UNITS:$(B)/%=$(B)/asan/%): $(B)/asan/tests/%: $(B)/asan/tests/obj/%.o $(B)/asan/host.a
	$(call say,TEST,$@)
	$(Q)$(CC) $(CFLAGS) $(ASAN) -pthread $(filter %.o %.a,$^) $(LIBS) $(OWN_LIBS) -lcriterion -o $@

# The simulator that judges compare and history: host/tests/README.md.
$(B)/tests/power: $(wildcard host/tests/sim/*.c) host/tests/sim/sim.h $(B)/tests/host.a
	$(call say,TEST,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(filter %.c %.a,$^) $(LIBS) $(OWN_LIBS) -o $@
.PHONY: test-power
test-power: $(B)/tests/power
	$(Q)$(B)/tests/power $(ARGS)

# Hostile guests, kills and signals: host/tests/README.md.
HOSTILE := $(B)/tests/pages $(B)/tests/kill_at $(B)/asan/tests/pages $(B)/asan/wsbench $(B)/tsan/wsbench
.PHONY: hostile-tests test-hostile
hostile-tests: all $(HOSTILE)
test-hostile: all $(B)/tests/contain test-payloads hostile-tests
	$(Q)BUILD=$(abspath $(B)) host/tests/hostile/hostile.py $(ARGS)
$(B)/tests/pages: host/tests/hostile/pages.c $(B)/tests/host.a
	$(call say,TEST,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(filter %.c %.a,$^) $(LIBS) $(OWN_LIBS) -o $@
$(B)/asan/tests/pages: host/tests/hostile/pages.c $(B)/asan/host.a
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASAN_CFLAGS) $(filter %.c %.a,$^) $(LIBS) $(OWN_LIBS) -o $@

$(B)/tests/kill_at: host/tests/hostile/kill_at.c | tools
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $< -o $@
# The program with sanitizers, for hostile guests.
$(B)/asan/wsbench: $(B)/asan/obj/$(ARCH)/host/cli/main.o $(B)/asan/host.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(ASAN) -pthread $^ $(LIBS) $(OWN_LIBS) -o $@
	$(Q)ln -sfn $(addprefix ../,$(ARCHS)) $(@D)

# A stand-in for an emulator: host/tests/hostile_lab.bats.
$(B)/tests/hostile_lab: host/tests/hostile_lab.c $(B)/tests/host.a
	$(call say,TEST,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(filter %.c %.a,$^) $(LIBS) $(OWN_LIBS) -o $@

include host/tests/fuzz/fuzz.mk

# Runs the commands of the tests.
$(B)/tests/contain: host/tests/contain.c | tools
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $< -o $@

compare: $(B)/wsbench
	$(Q)[ -n '$(A)' ] && [ -n '$(NEW)' ] || { echo 'usage: make compare A=BASE.json B=NEW.json' >&2; exit 2; }
	$(Q)$(B)/wsbench compare '$(A)' '$(NEW)' $(ARGS)

# For scripts/check.sh, which compares them with the catalogue.
.PHONY: bodies
bodies:
	@printf '%s\n' $(BODIES)

reference: $(B)/wsbench
	$(Q)scripts/reference.sh $(B)/wsbench bench/README.md

# For the KVM of this machine only. Needs a compiler and the libraries.
native:
	$(Q)$(MAKE) --no-print-directory $(JOBS) NATIVE=1 all

# ---- manual pages, completions, installation ---------------------------------------------------

# Pages and completions contain the options that the program prints.
PAGES := $(patsubst host/man/%.in,$(B)/man/%,$(sort $(wildcard host/man/*.1.in)))
COMPLETIONS := $(addprefix $(B)/completions/,wsbench.bash _wsbench wsbench.fish)
man: $(PAGES) $(COMPLETIONS)
$(B)/man/%: host/man/%.in host/man/page.sh host/CHANGES.md $(B)/wsbench
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)host/man/page.sh $(B)/wsbench $< > $@.tmp && mv $@.tmp $@
$(B)/completions/%: host/man/completion.sh $(B)/wsbench
	$(call say,COMPL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)host/man/completion.sh $(B)/wsbench $(@F) > $@.tmp && mv $@.tmp $@

PREFIX ?= /usr/local
ROOT = $(DESTDIR)$(PREFIX)
SCRIPTS := kernel.sh kernel-build.sh headers.sh kmod.sh emulator.sh emulator-qemu.sh sweep.sh sweep-explain.sh reboots.sh vpmu.sh places.sh progress.sh rows.sh sums.sh apt-private.sh ci/measure.sh ci/bisect.sh ci/series.sh
DOCS_INSTALLED := README.md LICENSE host/CHANGES.md $(sort $(wildcard bench/README.md guest/README.md scripts/packages \
	host/README.md host/*/README.md host/*/*/README.md host/targets/lab/*.md host/targets/lab/*/README.md results/README.md results/pictures/* bench/*.def bench/*.h \
	.github/CONTRIBUTING.md)) \
	$(wildcard scripts/ci/*.yml)

# install and uninstall have the same list of places.
install: all man
	$(Q)install -D -m 755 -t "$(ROOT)"/bin $(B)/wsbench
	$(Q)for f in $(LIBEXEC); do install -D -m 755 $(B)/$$f "$(ROOT)"/libexec/worldswitch/$$f; done
	$(Q)for f in $(SCRIPTS); do install -D -m 755 scripts/$$f "$(ROOT)"/libexec/worldswitch/$$f; done
	$(Q)install -D -m 644 -t "$(ROOT)"/libexec/worldswitch/ci $(wildcard scripts/ci/*.config)
	$(Q)install -D -m 644 -t "$(ROOT)"/libexec/worldswitch/kmod $(wildcard host/kmod/*.[ch]) host/kmod/Kbuild
	$(Q)for f in $(BOCHS_SOURCES); do \
		install -D -m 644 $$f "$(ROOT)"/libexec/worldswitch/$${f#host/targets/lab/}; done
	$(Q)install -D -m 644 -t "$(ROOT)"/libexec/worldswitch/bochs host/explain/record.h
	$(Q)install -D -m 644 -t "$(ROOT)"/share/worldswitch $(wildcard results/*schema.json)
	$(Q)scripts/install-docs.sh "$(ROOT)"/share/doc/worldswitch $(DOCS_INSTALLED)
	$(Q)install -D -m 644 -t "$(ROOT)"/share/man/man1 $(PAGES)
	$(Q)install -D -m 644 $(B)/completions/wsbench.bash "$(ROOT)"/share/bash-completion/completions/wsbench
	$(Q)install -D -m 644 $(B)/completions/_wsbench "$(ROOT)"/share/zsh/site-functions/_wsbench
	$(Q)install -D -m 644 $(B)/completions/wsbench.fish "$(ROOT)"/share/fish/vendor_completions.d/wsbench.fish

uninstall:
	$(Q)rm -f "$(ROOT)"/bin/wsbench "$(ROOT)"/share/man/man1/wsbench.1 "$(ROOT)"/share/man/man1/wsbench-*.1 \
		"$(ROOT)"/share/bash-completion/completions/wsbench "$(ROOT)"/share/zsh/site-functions/_wsbench \
		"$(ROOT)"/share/fish/vendor_completions.d/wsbench.fish
	$(Q)rm -rf "$(ROOT)"/libexec/worldswitch "$(ROOT)"/share/worldswitch "$(ROOT)"/share/doc/worldswitch

# The sources of HEAD and a static program of each architecture, without debug information.
DIST := $(B)/dist
NAME := worldswitch-$(VERSION)
dist: $(foreach a,$(ARCHS),$(B)/$(a)/wsbench)
	$(call say,DIST,$(DIST))
	$(Q)git rev-parse --verify -q HEAD >/dev/null || { echo "make: dist needs a git clone" >&2; exit 2; }
	$(Q)rm -rf $(DIST) && mkdir -p $(DIST)
	$(Q)git archive --prefix=$(NAME)/ --add-virtual-file=$(NAME)/.commit:$$(git rev-parse --short=12 HEAD) \
		HEAD | xz -T0 > $(DIST)/$(NAME).tar.xz
	$(Q)$(foreach a,$(ARCHS),$(if $(filter $(a),$(ARCH)),,$(CROSS_$(a)))objcopy --strip-debug \
		$(B)/$(a)/wsbench $(DIST)/wsbench-$(VERSION)-$(a) &&) true
	$(Q)cd $(DIST) && sha256sum $(NAME).tar.xz wsbench-* > SHA256SUMS

# The cache of kernels and machines belongs to all clones of the user and is elsewhere. The lock
# goes last: without its file, another make begins.
clean:
	$(call say,RM,$(B))
	$(Q)rm -rf $(filter-out $(B)/.lock,$(wildcard $(B)/* $(B)/.[!.]*))
	$(Q)rm -f $(B)/.lock; [ ! -d $(B) ] || rmdir --ignore-fail-on-non-empty $(B)

help:
	@echo 'make            build all of build/'
	@echo 'make bench      install packages, build, measure on every target that can run here, draw'
	@echo 'make test       install packages, build, run every test'
	@echo 'make test-power simulate how often verdicts are false and changes are found (host/tests/README.md)'
	@echo 'make test-hostile  random guest reports, hostile guests, kills, signals: a table (host/tests/README.md)'
	@echo 'make fuzz       mutate the inputs of every parser, 60 s each (FUZZ=wire TIME=3600; host/tests/fuzz/README.md)'
	@echo 'make native     build build/native/wsbench for the KVM of this machine: no cross compiler, no labs'
	@echo 'make check      formatting, lint, layer and table checks (ARGS=NAME: one check)'
	@echo 'make compare A=BASE.json B=NEW.json   print what became better or worse'
	@echo 'make report     write one HTML page of the latest run (DOCS="a.json b.json" OUT=DIR: of others)'
	@echo 'make format     format the C files with clang-format'
	@echo 'make reference  update the tables of benchmarks and configs in bench/README.md'
	@echo 'make setup      install missing Debian packages (SETUP=0 skips this everywhere)'
	@echo 'make kernels    fetch the kernels of the labs'
	@echo 'make kmod       build the counter-passthrough module for the kernel of the arm64 lab'
	@echo 'make emulators  build the emulator of the x86 labs from Debian'"'"'s sources, with PMUs'
	@echo 'make man        build manual pages and completions'
	@echo 'make install    install into PREFIX (/usr/local) below DESTDIR; NATIVE=1: what make native builds'
	@echo 'make uninstall  remove what make install wrote'
	@echo 'make dist       write a source tarball and static programs of both architectures to build/dist'
	@echo 'make clean      remove what was built; kernels stay in the cache (~/.cache/worldswitch)'
	@echo "BENCH='*' make bench measures everything, not only the core"
	@echo 'V=1 shows commands; WERROR=0 disables -Werror; CC=clang; ARGS=... for make bench'
endif
