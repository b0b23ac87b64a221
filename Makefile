# SPDX-License-Identifier: GPL-2.0-or-later
#
# worldswitch: payloads for two architectures, the host program natively and, as
# static binaries that run alone, for both. Symmetric: on an aarch64 machine the
# x86_64 side is the cross-built one. Everything lands in build/.

VERSION := 0.1.0

ARCHS	:= x86_64 aarch64
ARCH	:= $(shell uname -m)
ifeq ($(filter $(ARCH),$(ARCHS)),)
$(error worldswitch builds on x86_64 and aarch64, not on $(ARCH))
endif
FOREIGN := $(filter-out $(ARCH),$(ARCHS))

# To `make compare A=BASE.json B=NEW.json` B is something else.
ifneq ($(filter compare,$(MAKECMDGOALS)),)
NEW := $(B)
override B := build
endif
B     := build
CACHE := $(or $(WORLDSWITCH_CACHE),$(B)/cache)

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
CROSS_CC      := $(CROSS_$(FOREIGN))gcc
CC_$(ARCH)    = $(CC)
CC_$(FOREIGN) = $(CROSS_CC)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wundef -Wvla
ifneq ($(WERROR),0)
WARN += -Werror
endif

CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -I. -I$(B) $(WARN) $(CFLAGS) $(SANITIZE) -pthread -MMD -MP
LIBS := -ljansson -lpfm -lgsl -lgslcblas -lz -lm

SYSROOT := $(B)/sysroot/$(FOREIGN)
TRIPLET_x86_64  := x86_64-linux-gnu
TRIPLET_aarch64 := aarch64-linux-gnu
INCLUDE_$(FOREIGN) := -isystem $(SYSROOT)/usr/include
LIBDIR_$(FOREIGN)  := -L$(SYSROOT)/usr/lib/$(TRIPLET_$(FOREIGN))

# ---- what there is ---------------------------------------------------------------

HOST_DIRS := cli compare env explain history lib measure report result selftest stats targets targets/lab vmm
HOST_SRC  := $(sort $(wildcard bench/*.c)) $(sort $(foreach d,$(HOST_DIRS),$(wildcard host/$(d)/*.c)))
host_src   = $(HOST_SRC) $(sort $(wildcard host/vmm/$(1)/*.c host/targets/lab/$(1)/*.c))
host_obj   = $(patsubst %.c,$(B)/obj/$(1)/%.o,$(call host_src,$(1))) $(B)/obj/$(1)/payloads.o \
	$(B)/obj/$(1)/bochs_rom.o

# A word ARCH/ROW:PAGE for each row on the pages of bodies.
BODY_PAGES := $(sort $(wildcard $(ARCHS:%=bench/%/*.c)))
BODIES := $(shell grep -HoE '^BODY_ROW(_OF)?.[a-z0-9_]+' $(BODY_PAGES) | \
	sed -E 's|^bench/([^/]*)/(.*):BODY_ROW(_OF)?.(.*)|\1/\4:bench/\1/\2|')
body_row  = $(firstword $(subst :, ,$(1)))
body_page = $(lastword $(subst :, ,$(1)))

PAYLOADS := $(foreach a,$(ARCHS),$(B)/guest/$(a)/driven.elf $(B)/guest/$(a)/selftest.elf \
	$(B)/guest/$(a)/pmu_readings.elf) $(sort $(foreach b,$(BODIES),$(B)/guest/$(call body_row,$(b)).elf))

.PHONY: reference all bench test check report compare install clean help setup kernels kmod format
all: $(B)/wsbench $(foreach a,$(ARCHS),$(B)/$(a)/wsbench) $(B)/libwsbench-trace.so $(B)/libwsbench-clone.so

# ---- payloads: bare-metal images ---------------------------------------------------

GUEST_CFLAGS := -std=gnu11 -I. -O2 -g0 -ffreestanding -fno-builtin -fno-pic -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -mgeneral-regs-only $(WARN) -MMD -MP
GUEST_CFLAGS_x86_64  := -Iguest/x86_64 -mno-red-zone -mcmodel=small -fcf-protection=none
GUEST_CFLAGS_aarch64 := -Iguest/aarch64 -mno-outline-atomics
GUEST_LDFLAGS := -nostdlib -static -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,--no-warn-rwx-segments -Wl,--gc-sections

# What bodies may call beside the runtime; the linker drops what they do not.
GUEST_RUNTIME_aarch64 := gic interrupt its
GUEST_RUNTIME_x86_64  := apic interrupt pmc

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

# What rows that the host times, and the VMM's self-tests, run instead of a body.
$(B)/guest/$(1)/driven.o $(B)/guest/$(1)/selftest.o: $(B)/guest/$(1)/%.o: guest/%.c | tools
	$$(call say,GUEST,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $(GUEST_CFLAGS) $(GUEST_CFLAGS_$(1)) -c $$< -o $$@
$(B)/guest/$(1)/pmu_readings.o: guest/$(1)/pmu_readings.c | tools
	$$(call say,GUEST,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $(GUEST_CFLAGS) $(GUEST_CFLAGS_$(1)) -c $$< -o $$@
$(B)/guest/$(1)/selftest.elf: $(patsubst guest/%.c,$(B)/guest/$(1)/runtime/%.o,$(wildcard guest/$(1)/selftest*.c))

$(B)/guest/$(1)/%.elf: $(B)/guest/$(1)/runtime/$(1)/boot.o $(B)/guest/$(1)/runtime/$(1)/machine.o \
		$(B)/guest/$(1)/runtime/runtime.o $(B)/guest/$(1)/%.o guest/$(1)/payload.lds \
		$(patsubst %,$(B)/guest/$(1)/runtime/$(1)/%.o,$(GUEST_RUNTIME_$(1)))
	$$(call say,PAYLOAD,$$@)
	$$(Q)$$(CC_$(1)) $(GUEST_LDFLAGS) -Wl,-T,guest/$(1)/payload.lds $$(filter %.o,$$^) -o $$@
endef
$(foreach a,$(ARCHS),$(eval $(call guest_rules,$(a))))

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

# Payloads that misbehave, for the tests: they replace the sampling loop.
BAD_PAYLOADS := host/tests/payloads
test_payloads = $(patsubst %.c,$(B)/tests/payloads/$(1)/%.elf,$(sort $(notdir \
	$(wildcard $(BAD_PAYLOADS)/*.c $(BAD_PAYLOADS)/$(1)/*.c))))

define test_payload_rules
$(B)/tests/payloads/$(1)/%.o: $(BAD_PAYLOADS)/%.c | tools
	$$(call say,GUEST,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $(GUEST_CFLAGS) $(GUEST_CFLAGS_$(1)) -c $$< -o $$@

$(B)/tests/payloads/$(1)/%.o: $(BAD_PAYLOADS)/$(1)/%.c | tools
	$$(call say,GUEST,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $(GUEST_CFLAGS) $(GUEST_CFLAGS_$(1)) -c $$< -o $$@

$(B)/tests/payloads/$(1)/%.elf: $(B)/guest/$(1)/runtime/$(1)/boot.o $(B)/guest/$(1)/runtime/$(1)/machine.o \
		$(B)/guest/$(1)/runtime/runtime.o $(B)/tests/payloads/$(1)/%.o guest/$(1)/payload.lds
	$$(call say,PAYLOAD,$$@)
	$$(Q)$$(CC_$(1)) $(GUEST_LDFLAGS) -Wl,-T,guest/$(1)/payload.lds $$(filter %.o,$$^) -o $$@

test-payloads: $(call test_payloads,$(1))
endef
$(foreach a,$(ARCHS),$(eval $(call test_payload_rules,$(a))))

# One symbol pair and one table row per image; see host/targets/payload.c.
$(B)/payloads.S: $(PAYLOADS) Makefile
	$(call say,GEN,$@)
	$(Q){ echo '	.section .rodata'; \
	for p in $(PAYLOADS:$(B)/guest/%.elf=%); do \
		l=$$(echo $$p | tr / _); \
		printf '	.balign 16\nstart_%s:\n	.incbin "$(B)/guest/%s.elf"\nend_%s:\nname_%s:\n	.asciz "%s"\n' \
			$$l $$p $$l $$l $$p; \
	done; \
	echo '	.section .data.rel.ro, "aw"'; echo '	.globl payload_table'; \
	echo '	.balign 8'; echo 'payload_table:'; \
	for p in $(PAYLOADS:$(B)/guest/%.elf=%); do \
		l=$$(echo $$p | tr / _); echo "	.quad name_$$l, start_$$l, end_$$l"; \
	done; \
	echo '	.quad 0, 0, 0'; echo '	.section .note.GNU-stack, "", %progbits'; } > $@.tmp
	$(Q)mv $@.tmp $@

# The firmware of an emulated PC, for the end of its first 4 GiB.
$(B)/bochs_rom.bin: host/targets/lab/bochs_rom.S host/targets/lab/preload_layout.h | tools
	$(call say,ROM,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_x86_64) -I. -nostdlib -static -Wl,--build-id=none,-e,start,-Ttext=0xfffff000 \
		-Wl,--oformat=binary $< -o $@

$(B)/bochs_rom.S: $(B)/bochs_rom.bin Makefile
	$(Q){ printf '	.section .rodata\n	.globl lab_bochs_rom, lab_bochs_rom_end\n'; \
	printf 'lab_bochs_rom:\n	.incbin "$<"\nlab_bochs_rom_end:\n'; \
	echo '	.section .note.GNU-stack, "", %progbits'; } > $@

# ---- the host program -----------------------------------------------------------------

# Only written when it changes, so that a new commit rebuilds one file.
.PHONY: version
$(B)/version.h: version
	$(Q)mkdir -p $(B)
	$(Q){ echo '#define WS_VERSION "$(VERSION)"'; \
	echo "#define WS_COMMIT \"$$(git rev-parse --short=12 HEAD 2>/dev/null)\""; \
	git diff --quiet HEAD -- 2>/dev/null; d=$$?; \
	echo "#define WS_DIRTY $$([ $$d = 1 ] && echo 1 || echo 0)"; } > $@.tmp
	$(Q)cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@

define host_rules
$(B)/obj/$(1)/%.o: %.c | tools sysroot-$(1)
	$$(call say,CC,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $(ALL_CFLAGS) $(INCLUDE_$(1)) -c $$< -o $$@

$(B)/obj/$(1)/host/cli/version.o: $(B)/version.h

$(B)/obj/$(1)/payloads.o: $(B)/payloads.S
	$$(call say,AS,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) -c $$< -o $$@

$(B)/obj/$(1)/bochs_rom.o: $(B)/bochs_rom.S
	$$(call say,AS,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) -c $$< -o $$@

# -static: it must run where nothing else is, such as the lab's initramfs.
$(B)/$(1)/wsbench: $(call host_obj,$(1))
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) -static $(CFLAGS) -pthread $$^ $(LIBDIR_$(1)) $(LIBS) -o $$@
endef
$(foreach a,$(ARCHS),$(eval $(call host_rules,$(a))))

$(B)/wsbench: $(call host_obj,$(ARCH))
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -pthread $^ $(LIBS) -o $@

# What `explain` loads into the emulator, on this machine.
$(B)/libwsbench-trace.so: host/explain/plugin/plugin.c host/explain/plugin/qemu.h host/explain/record.h | tools
	$(call say,PLUGIN,$@)
	$(Q)$(CC) -std=gnu11 -I. $(WARN) -O2 -fPIC -fvisibility=hidden -shared $< -o $@

# What clones a machine in Bochs: loaded into it, on this machine.
$(B)/libwsbench-clone.so: host/targets/lab/bochs/clone.c host/targets/lab/bochs/clone.h host/targets/lab/emulator.h \
		host/targets/lab/port.h | tools
	$(call say,PRELOAD,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -I. $(WARN) -O2 -fPIC -shared $< -o $@

-include $(shell find $(B)/obj $(B)/guest $(B)/tests $(B)/asan $(B)/tsan -name '*.d' 2>/dev/null)

# ---- set-up ------------------------------------------------------------------------------

# A missing compiler or library is named, with the way out, before anything fails.
.PHONY: tools sysroot-$(ARCH) sysroot-$(FOREIGN)
tools:
	@command -v $(CROSS_CC) >/dev/null && command -v $(firstword $(CC)) >/dev/null || \
		{ echo "make: a compiler is missing ($(CC), $(CROSS_CC)): run 'make setup'" >&2; exit 1; }
sysroot-$(ARCH):
sysroot-$(FOREIGN): $(SYSROOT)/.complete
$(SYSROOT)/.complete:
	$(call say,SYSROOT,$(SYSROOT))
	$(Q)scripts/sysroot.sh $(FOREIGN) $(SYSROOT)
	$(Q)touch $@

setup:
	$(Q)scripts/setup.sh

kernels:
	$(Q)code=0; for a in $(ARCHS); do \
		scripts/kernel.sh fetch --arch $$a >/dev/null || code=$$?; done; exit $$code

# Counter passthrough on KVM/arm64: without it (no network), its config is skipped.
kmod:
	$(Q)scripts/kmod.sh >/dev/null

# ---- what users type -------------------------------------------------------------------------

# All processors, unless whoever calls has said how many.
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
# The few benchmarks that say most; BENCH='*' for all of them.
BENCH ?= core
RUN := results/runs/$(shell date -u +%Y%m%dT%H%M%SZ)

# Without kernels (no network) the labs are left out, and a target that fails costs that
# target only: what the others gave is drawn and reported, and then this fails, too.
bench: setup
	$(Q)$(MAKE) --no-print-directory $(JOBS) all
	-$(Q)$(MAKE) --no-print-directory kernels
	-$(Q)$(MAKE) --no-print-directory kmod
	$(Q)code=0; $(B)/wsbench run --on all --bench '$(BENCH)' -o $(RUN)/ $(ARGS) || code=$$?; \
	set -- $(RUN)/*.json; [ -e "$$1" ] || exit $$code; \
	for command in plot report; do \
		$(B)/wsbench $$command "$$@" -o $(RUN) || { c=$$?; [ $$code != 0 ] || code=$$c; }; \
	done; exit $$code

# Of the latest run, unless somebody names documents and a place.
DOCS ?= $(wildcard $(lastword $(sort $(wildcard results/runs/*/)))*.json)
OUT  ?= $(firstword $(dir $(DOCS)))
report: $(B)/wsbench
	@[ -n "$(strip $(DOCS))" ] || { echo "make: no document in results/runs: run 'make bench', or say DOCS=..." >&2; exit 2; }
	$(Q)$(B)/wsbench report $(DOCS) -o $(OUT)

check: $(B)/version.h
	$(Q)scripts/setup.sh base lint
	$(Q)$(MAKE) --no-print-directory $(JOBS) $(B)/wsbench
	$(Q)BUILD=$(B) scripts/check.sh $(ARGS)

format:
	$(Q)git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

# Without kernels (no network) the labs' tests are skipped, and say so.
test: setup
	$(Q)$(MAKE) --no-print-directory $(JOBS) all test-payloads unit-tests asan-tests tsan-tests
	-$(Q)$(MAKE) --no-print-directory kernels kmod
	$(Q)host/tests/run $(ARGS)

UNITS := $(patsubst host/tests/%.c,$(B)/tests/%,$(sort $(wildcard host/tests/unit_*.c)))
.PHONY: unit-tests asan-tests test-payloads
unit-tests: $(UNITS) $(B)/tests/contain
# The same, with sanitizers. Under these gcc warns of what is not there, as its manual says.
asan-tests: $(UNITS:$(B)/%=$(B)/asan/%)
ASAN := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
ASAN_CFLAGS = $(filter-out $(WARN),$(ALL_CFLAGS)) -w $(ASAN)

# The program and the tests of its threads under ThreadSanitizer: host/tests/threads.bats.
TSAN := -O1 -fsanitize=thread
TSAN_OBJ := $(patsubst %.c,$(B)/tsan/obj/%.o,$(call host_src,$(ARCH))) \
	$(B)/obj/$(ARCH)/payloads.o $(B)/obj/$(ARCH)/bochs_rom.o
.PHONY: tsan-tests
tsan-tests: $(B)/tsan/wsbench $(B)/tsan/unit_threads
$(B)/tsan/obj/%.o: %.c | tools
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(TSAN) -c $< -o $@
$(B)/tsan/obj/host/cli/version.o: $(B)/version.h
$(B)/tsan/wsbench: $(TSAN_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(TSAN) -pthread $^ $(LIBS) -o $@
$(B)/tsan/unit_threads: host/tests/unit_threads.c $(filter-out %/cli/main.o,$(TSAN_OBJ))
	$(call say,TEST,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(TSAN) $(filter %.c %.o,$^) $(LIBS) -o $@

# The linker takes out of it what a test calls. A thin archive: the paths of objects.
test_obj = $(filter-out %/cli/main.o,$(call host_obj,$(ARCH)))
$(B)/tests/host.a: $(test_obj)
$(B)/asan/host.a: $(patsubst $(B)/obj/%,$(B)/asan/obj/%,$(filter-out %/payloads.o %/bochs_rom.o,$(test_obj))) \
	$(filter %/payloads.o %/bochs_rom.o,$(test_obj))
$(B)/tests/host.a $(B)/asan/host.a:
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) qcsT $@ $^

$(B)/asan/obj/$(ARCH)/%.o: %.c | tools sysroot-$(ARCH)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASAN_CFLAGS) -c $< -o $@
$(B)/asan/obj/$(ARCH)/host/cli/version.o: $(B)/version.h

$(B)/tests/unit_%: host/tests/unit_%.c $(B)/tests/host.a
	$(call say,TEST,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(filter %.c %.a,$^) $(LIBS) -lcriterion -o $@
$(B)/asan/tests/unit_%: host/tests/unit_%.c $(B)/asan/host.a
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASAN_CFLAGS) $(filter %.c %.a,$^) $(LIBS) -lcriterion -o $@

# What runs the tests' commands.
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

install: all
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(B)/wsbench $(DESTDIR)$(PREFIX)/bin/wsbench
	$(foreach a,$(ARCHS),install -D -m 755 $(B)/$(a)/wsbench \
		$(DESTDIR)$(PREFIX)/libexec/worldswitch/$(a)/wsbench;)
	install -D -m 644 results/schema.json $(DESTDIR)$(PREFIX)/share/worldswitch/schema.json
	install -D -m 644 results/explanation.schema.json \
		$(DESTDIR)$(PREFIX)/share/worldswitch/explanation.schema.json
	install -D -m 755 $(B)/libwsbench-trace.so \
		$(DESTDIR)$(PREFIX)/libexec/worldswitch/libwsbench-trace.so
	install -D -m 755 $(B)/libwsbench-clone.so \
		$(DESTDIR)$(PREFIX)/libexec/worldswitch/libwsbench-clone.so
PREFIX ?= /usr/local

clean:
	rm -rf $(filter-out $(B)/cache,$(wildcard $(B)/*)) $(CACHE)/machines

help:
	@echo 'make            build everything into build/'
	@echo 'make bench      set up, build, measure on every target that can run here, draw'
	@echo 'make test       set up, build, run every test'
	@echo 'make check      formatting, lint, layer and table checks (ARGS=NAME: only that)'
	@echo 'make compare A=BASE.json B=NEW.json   what got better or worse'
	@echo 'make report     one HTML page of the latest run (DOCS="a.json b.json" OUT=DIR: of others)'
	@echo 'make format     what clang-format would have it like'
	@echo 'make reference  update the tables of benchmarks and configs in bench/README.md'
	@echo 'make setup      install missing Debian packages (SETUP=0 skips this everywhere)'
	@echo 'make kernels    fetch the kernels of the labs'
	@echo 'make kmod       build the counter-passthrough module for the arm64 lab'"'"'s kernel'
	@echo 'make install    into PREFIX (/usr/local), under DESTDIR'
	@echo 'make clean      remove what was built; downloads in build/cache stay'
	@echo "BENCH='*' make bench measures everything, not only the core"
	@echo 'V=1 shows commands; WERROR=0 lets warnings pass; CC=clang; ARGS=... for make bench'
