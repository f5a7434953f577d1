# leat: make, make check, make install. See CONTRIBUTING.md.

VERSION := 0.1.0
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
LIBDIR ?= $(PREFIX)/lib
UNITDIR ?= $(PREFIX)/lib/systemd/system
LIBEXECDIR ?= $(PREFIX)/libexec/leat
PLUGINDIR ?= $(PREFIX)/lib/leat/plugins
DESTDIR ?=
CC ?= cc
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma := ,

LIBS_DAEMON := libevent_core inih libsystemd libssl libcrypto
LIBS_CLIENT := libssl libcrypto
LIBS_TEST := check $(LIBS_DAEMON)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wcast-qual \
	-Wwrite-strings -Wundef -Wconversion -Wno-sign-conversion -Wimplicit-fallthrough \
	-Werror=implicit-function-declaration -Werror=incompatible-pointer-types -Werror=int-conversion \
	-Werror=return-type -Werror=format-security -Werror=unused-result
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
HARDEN_LINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
OPTIMISE ?= -O2

ifdef SAN
HARDEN := -fPIE
FORTIFY := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
OPTIMISE := -O1
LDFLAGS += -fsanitize=$(SAN)
endif
ifdef CI
WARN += -Werror
endif

CFLAGS ?= -g
ALL_CFLAGS = -std=gnu11 $(OPTIMISE) $(WARN) $(HARDEN) $(FORTIFY) -pthread -ffile-prefix-map=$(CURDIR)=. \
	-D_GNU_SOURCE -DLEAT_VERSION='"$(VERSION)"' -DLEAT_SYSCONFDIR='"$(SYSCONFDIR)"' \
	-DLEAT_LIBEXECDIR='"$(LIBEXECDIR)"' -DLEAT_PLUGINDIR='"$(PLUGINDIR)"' $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pthread $(HARDEN_LINK) $(LDFLAGS)
# `make V=1` shows the commands whole.
quiet = $(if $(V),,@echo "  $(1) $@";)
link = $(call quiet,LD)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^)

lib_o := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard lib/*.c)))
daemon_o := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard daemon/*.c)))
# The process in which an isolated plugin runs: nothing but the C library.
host_o := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard daemon/plugin_host/*.c)) daemon/plugin_object.c)
client_o := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard client/*.c)))
unit_o := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/unit/*.c)))
wire_o := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/wire/*.c)))
examples := $(patsubst docs/patterns/%.c,$(BUILD)/examples/%,$(sort $(wildcard docs/patterns/*.c)))
plugins := $(patsubst %.c,$(BUILD)/plugins/%.so,$(notdir $(wildcard tests/wire/plugins/*.c docs/plugins/*.c)))
headers := $(sort $(wildcard lib/*.h daemon/*.h daemon/plugin_host/*.h client/*.h))

vpath %.c tests/wire/plugins docs/plugins

.PHONY: all check check-unit check-wire check-headers check-examples examples bench-channels bench-openloop fuzz fuzzers verify install install-dev deb clean
all: $(BUILD)/leatd $(BUILD)/leat $(BUILD)/leat-plugin-host

$(BUILD)/leatd: $(daemon_o) $(BUILD)/libleat.a
	$(link) $(shell pkg-config --libs $(LIBS_DAEMON))
$(BUILD)/leat: $(client_o) $(BUILD)/libleat.a
	$(link) $(shell pkg-config --libs $(LIBS_CLIENT))
$(BUILD)/leat-plugin-host: $(host_o) $(BUILD)/libleat.a
	$(link)
$(BUILD)/unit: $(unit_o) $(filter-out %/main.o,$(daemon_o)) $(BUILD)/libleat.a
	$(link) $(shell pkg-config --libs $(LIBS_TEST))
$(BUILD)/wire: $(wire_o) $(BUILD)/libleat.a
	$(link) $(shell pkg-config --libs check $(LIBS_CLIENT))
# Preloaded into the leatd of a test; never with a sanitizer.
$(BUILD)/failing.so: tests/wire/preload/failing.c tests/wire/preload/failing.h
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) -std=gnu11 -O2 -fPIC -shared -o $@ $<
# A job of the wire tests, without sanitizers.
$(BUILD)/escape: tests/wire/jobs/escape.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) -std=gnu11 -O2 $(WARN) -D_GNU_SOURCE -o $@ $<
# The workers of docs/, as anybody would build them.
worker_examples := $(addprefix $(BUILD)/workers/,upper echo)
$(worker_examples): $(BUILD)/workers/%: docs/workers/%.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) -std=gnu11 -O2 $(WARN) -o $@ $<
# Plugins: those of the tests, and the one to copy. Without sanitizers, as others will build them.
$(plugins): $(BUILD)/plugins/%.so: %.c lib/leat_plugin.h
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) -std=gnu11 -O2 $(WARN) -Ilib -fPIC -shared -o $@ $<
$(examples): $(BUILD)/examples/%: $(BUILD)/docs/patterns/%.o $(BUILD)/libleat.a
	@mkdir -p $(@D)
	$(link)
$(BUILD)/libleat.a: $(lib_o)
	$(call quiet,AR)$(AR) rcsD $@ $^

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The programs in C of scripts/bench channels.
bench_programs := $(addprefix $(BUILD)/bench/,ours ring gasyncqueue pipe bounds)
bench-channels: $(bench_programs)
$(bench_programs): $(BUILD)/bench/%: $(BUILD)/tests/bench/channels/%.o $(BUILD)/libleat.a
	@mkdir -p $(@D)
	$(link) $(BENCH_LIBS)
$(BUILD)/tests/bench/channels/gasyncqueue.o: CPPFLAGS += $(patsubst -I%,-isystem %,$(shell pkg-config --cflags glib-2.0))
$(BUILD)/bench/gasyncqueue: BENCH_LIBS = $(shell pkg-config --libs glib-2.0)

# The load generator of scripts/bench overload.
openloop_o := $(patsubst %.c,$(BUILD)/%.o,tests/bench/openloop.c $(sort $(wildcard tests/bench/openloop/*.c)))
bench-openloop: $(BUILD)/bench/openloop
$(BUILD)/bench/openloop: $(openloop_o) $(BUILD)/libleat.a
	@mkdir -p $(@D)
	$(link) -lm

# The harnesses of scripts/fuzz: a file each, over all of the daemon, with clang's libFuzzer and in a folder of its own.
fuzzers := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(sort $(wildcard tests/fuzz/*.c)))
fuzz:
	$(MAKE) CC=clang SAN=fuzzer-no-link,address,undefined BUILD=build-fuzz fuzzers
fuzzers: $(fuzzers)
$(fuzzers): $(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(filter-out %/main.o,$(daemon_o)) $(BUILD)/libleat.a
	@mkdir -p $(@D)
	$(link) -fsanitize=fuzzer $(shell pkg-config --libs $(LIBS_DAEMON))

# The default configuration is built into leatd.
$(BUILD)/daemon/default_config.o: conf/leatd.ini
# So is the status page.
$(BUILD)/daemon/page.o: $(wildcard daemon/status/*)

# The patterns of docs/patterns, to be run one by one.
examples: $(examples)

check: check-headers check-unit check-examples check-wire
# To fork a process with a sanitizer takes longer than most tests do.
check-unit: $(BUILD)/unit
	CK_FORK=$(if $(SAN),no,yes) scripts/check-suites $(BUILD)/unit tests/unit/suites.def
# SUITES='line http' runs only those.
check-wire: $(BUILD)/wire $(BUILD)/escape $(BUILD)/failing.so $(worker_examples) $(plugins) all
	AGAIN=yes LEATD=$(BUILD)/leatd LEAT=$(BUILD)/leat scripts/check-suites $(BUILD)/wire tests/wire/suites.def $(SUITES)
# Each example prints what it should, and the tour quotes them rightly.
check-examples: examples
	scripts/check-examples $(BUILD)/examples

# Each header compiles alone, and includes only what its layer may.
check-headers:
	scripts/check-headers $(headers)

# Whether lib/ can be believed: docs/verification.md.
verify:
	scripts/verify

substitute = sed 's,@PREFIX@,$(PREFIX),g; s,@SYSCONFDIR@,$(SYSCONFDIR),g'
install: all
	install -D -m 755 $(BUILD)/leatd $(DESTDIR)$(PREFIX)/sbin/leatd
	install -D -m 755 $(BUILD)/leat $(DESTDIR)$(PREFIX)/bin/leat
	install -D -m 755 $(BUILD)/leat-plugin-host $(DESTDIR)$(LIBEXECDIR)/leat-plugin-host
	install -D -m 644 lib/leat_plugin.h $(DESTDIR)$(PREFIX)/include/leat_plugin.h
	install -d $(DESTDIR)$(PLUGINDIR)
	install -D -m 644 docs/completion/leat.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/leat
	install -D -m 644 docs/completion/_leat $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_leat
	[ -e $(DESTDIR)$(SYSCONFDIR)/leat/leatd.ini ] || install -D -m 644 conf/leatd.ini $(DESTDIR)$(SYSCONFDIR)/leat/leatd.ini
	mkdir -p $(DESTDIR)$(UNITDIR)
	for unit in leatd.service leatd.socket leatd@.socket; do \
		$(substitute) systemd/$$unit > $(DESTDIR)$(UNITDIR)/$$unit || exit; \
	done
	sed -f systemd/instance.sed systemd/leatd.service | $(substitute) > $(DESTDIR)$(UNITDIR)/leatd@.service
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/leat systemd/leatd.service.d/strict.conf.example
	install -D -m 644 systemd/leat.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/leat.conf
	install -D -m 644 systemd/leat.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/leat.conf
	for page in docs/man/*.[1-8]; do \
		install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$${page##*.} $$page || exit; \
	done
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/leat docs/operations.md docs/security.md docs/prometheus/leat.rules.yml docs/grafana/leat.json

# The channel layer for other programs: `pkg-config --cflags --libs leat`.
install-dev: $(BUILD)/libleat.a
	install -D -m 644 $(BUILD)/libleat.a $(DESTDIR)$(LIBDIR)/libleat.a
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include/leat $(filter-out %_impl.h lib/leat_plugin.h,$(wildcard lib/*.h))
	mkdir -p $(DESTDIR)$(LIBDIR)/pkgconfig
	printf '%s\n' 'Name: leat' 'Description: channels for C threads and event loops' 'Version: $(VERSION)' \
		'Cflags: -I$(PREFIX)/include/leat -pthread' 'Libs: -L$(LIBDIR) -lleat -pthread' > $(DESTDIR)$(LIBDIR)/pkgconfig/leat.pc

# The packages of Debian, in build/deb/, of a copy of this tree.
deb:
	rm -rf build/deb && mkdir -p build/deb/leat
	tar -c --exclude='./build*' --exclude=./.git . | tar -x -C build/deb/leat
	cd build/deb/leat && dpkg-buildpackage --no-sign --build=binary

clean:
	rm -rf build build-*

-include $(shell find $(BUILD) -name '*.d' -type f 2>/dev/null)
