# Builds the checkers from the lib/ and tests/ of TREE into OUT. Called by scripts/verify, also on copies of lib/ that are
# broken on purpose.
#
#	make -f tests/verify/verify.mk OUT=build/verify explore    and: histories, noisy-histories, noisy-unit
CC ?= cc
TREE ?= .
OUT ?= build/verify
FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -D_GNU_SOURCE -pthread $(CFLAGS)
# Every look of who waits is a step.
briefly := -DSPIN_PAUSES=16 -DSPIN_YIELDS=4
comma := ,

lib := $(wildcard $(TREE)/lib/*.c)
dir := $(TREE)/tests/verify

explorer := explore explore_main explore_world coroutine programs_chan programs_select programs_rest history linear pattern
wrapped := malloc calloc aligned_alloc free close sched_getaffinity sched_yield eventfd eventfd_read eventfd_write timerfd_create \
	timerfd_settime
# The pool needs threads of the kernel.
explored := $(filter-out pool,$(notdir $(lib:.c=)))

$(OUT)/explore: $(explored:%=$(OUT)/explore.d/lib/%.o) $(explorer:%=$(OUT)/explore.d/%.o)
	$(CC) $(FLAGS) -o $@ $^ $(wrapped:%=-Wl$(comma)--wrap=%)
$(OUT)/explore.d/lib/%.o: $(TREE)/lib/%.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(briefly) -DLEAT_SHIM='"../tests/verify/explore_shim.h"' -MMD -MP -c -o $@ $<
$(OUT)/explore.d/%.o: $(dir)/%.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(briefly) -DLEAT_SHIM='"../tests/verify/explore_shim.h"' -MMD -MP -c -o $@ $<

-include $(shell find $(OUT) -name '*.d' -type f 2>/dev/null)

# $(call program,NAME,SOURCES,FLAGS): a program of threads of the kernel.
define program
$(OUT)/$(1): $$(patsubst %.c,$(OUT)/$(1).d/%.o,$(2))
	$$(CC) $$(FLAGS) $(3) -o $$@ $$^ $(4)
$(OUT)/$(1).d/%.o: %.c
	@mkdir -p $$(@D)
	$$(CC) $$(FLAGS) $(3) -MMD -MP -c -o $$@ $$<
endef
judges := $(dir)/histories.c $(dir)/history.c $(dir)/linear.c $(dir)/pattern.c
noisy := -DLEAT_SHIM='"../tests/verify/noise_shim.h"'
suites := $(shell sed -n 's/^SUITE(\(.*\))/\1/p' $(dir)/suites.def)

$(eval $(call program,histories,$(lib) $(judges)))
$(eval $(call program,histories-noisy,$(lib) $(judges) $(dir)/noise.c,$(noisy)))
$(eval $(call program,histories-tsan,$(lib) $(judges),-fsanitize=thread))
$(eval $(call program,histories-asan,$(lib) $(judges),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all))
$(eval $(call program,unit-noisy,$(lib) $(suites:%=tests/unit/test_%.c) tests/unit/main.c $(dir)/noise.c,$(noisy) \
	-DSUITES='"../verify/suites.def"',$(shell pkg-config --libs check)))
