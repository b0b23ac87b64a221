# SPDX-License-Identifier: GPL-2.0-or-later
#
# The harnesses of host/tests/fuzz, twice: with libFuzzer (make fuzz), and with gcc and
# replay.c, which runs the corpora in make test (host/tests/fuzz.bats).

FUZZ_DIR     := host/tests/fuzz
FUZZ_SHARED  := $(FUZZ_DIR)/shared.c $(FUZZ_DIR)/mutate_json.c
FUZZ_ALL     := $(patsubst $(FUZZ_DIR)/fuzz_%.c,%,$(sort $(wildcard $(FUZZ_DIR)/fuzz_*.c)))
# make fuzz FUZZ=wire TIME=3600: these harnesses, so many seconds each.
FUZZ	     ?= $(FUZZ_ALL)
TIME	     ?= 60
FUZZ_CC	     ?= clang
FUZZ_CFLAGS   = $(filter-out $(WARN),$(ALL_CFLAGS)) -w -O1 -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined

.PHONY: fuzz fuzz-replay fuzz-build
fuzz-replay: $(FUZZ_ALL:%=$(B)/asan/tests/fuzz_%)
fuzz-build: $(FUZZ:%=$(B)/fuzz/fuzz_%)

# With warnings, unlike the other objects with sanitizers.
FUZZ_OBJ := $(B)/asan/obj/$(ARCH)/$(FUZZ_DIR)
$(FUZZ_OBJ)/%.o: ASAN_CFLAGS = $(ALL_CFLAGS) $(ASAN)
$(B)/asan/tests/fuzz_%: $(FUZZ_OBJ)/fuzz_%.o $(FUZZ_OBJ)/replay.o $(FUZZ_OBJ)/shared.o $(FUZZ_OBJ)/mutate_json.o $(B)/asan/host.a
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(ASAN) -pthread $^ $(LIBS) $(OWN_LIBS) -o $@

$(B)/fuzz/obj/%.o: %.c | tools $(GENERATED)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -c $< -o $@
$(B)/fuzz/obj/host/cli/help.o: $(B)/version.h
$(B)/fuzz/host.a: $(patsubst $(B)/obj/$(ARCH)/%,$(B)/fuzz/obj/%,$(filter-out %/payloads.o %/bochs_rom.o,$(test_obj))) \
	$(filter %/payloads.o %/bochs_rom.o,$(test_obj))
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) qcsT $@ $^
$(B)/fuzz/fuzz_%: $(B)/fuzz/obj/$(FUZZ_DIR)/fuzz_%.o $(FUZZ_SHARED:%.c=$(B)/fuzz/obj/%.o) $(B)/fuzz/host.a
	$(call say,FUZZ,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer $^ $(LIBS) $(OWN_LIBS) -o $@

# No scripts run.
$(B)/asan/tests/fuzz_cache $(B)/fuzz/fuzz_cache: LIBS += -Wl,--wrap=process_find_script

fuzz:
	$(Q)scripts/setup.sh base fuzz
	$(Q)$(MAKE) --no-print-directory $(JOBS) fuzz-build FUZZ='$(FUZZ)'
	$(Q)BUILD=$(B) $(FUZZ_DIR)/run $(TIME) $(FUZZ)
-include $(shell find $(B)/fuzz -name '*.d' 2>/dev/null)
