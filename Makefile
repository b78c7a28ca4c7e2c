# leadq: nginx module, worker and schema.  "make help" lists the targets.
# Everything that is built lies in $(BUILD).

VERSION    = 0.1.0

PREFIX     ?= /usr/local
SBINDIR    ?= $(PREFIX)/sbin
DATADIR    ?= $(PREFIX)/share/leadq
MANDIR     ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc/leadq
UNITDIR    ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
MODULEDIR  ?= /usr/lib/nginx/modules

NGINX_SRC  ?= /usr/share/nginx/src
PG_CONFIG  ?= pg_config
SANITIZE   ?=
WERROR     ?=
V          ?=

ifneq ($(SANITIZE),)
BUILD      ?= build/san
SANFLAGS   = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
             -fno-omit-frame-pointer
OPTFLAGS   = -O1 -g
else
BUILD      ?= build
SANFLAGS   =
OPTFLAGS   = -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
endif

CFLAGS     ?= $(OPTFLAGS)
Q          = $(if $(V),,@)

# --- warnings (gates: gcc and clang are silent under them) -------------------

WARN   = -Wall -Wextra -Wshadow -Wpointer-arith -Wwrite-strings \
         -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
         -Wvla -Wundef -Wformat=2 -Wnull-dereference -Wimplicit-fallthrough \
         $(if $(WERROR),-Werror)
WARN_WORKER = $(WARN) -Wpedantic -Wcast-qual -Wconversion -Wno-sign-conversion
WARN_MODULE = $(WARN) -Wno-unused-parameter

ifeq ($(findstring clang,$(CC)),)
WARN_WORKER += -Wlogical-op -Wduplicated-cond -Wduplicated-branches
endif

# --- what the worker is made of ----------------------------------------------

PKGS       = libuv libcurl libcares gmime-3.0 jansson inih libidn2 libcrypto libsystemd libmicrohttpd
INCLUDES   = -Ingx_module -Iworker -I$(shell $(PG_CONFIG) --includedir) \
             $(shell pkg-config --cflags $(PKGS))
LIBS       = -L$(shell $(PG_CONFIG) --libdir) -lpq \
             $(shell pkg-config --libs $(PKGS)) -lcsv
DEFINES    = -D_GNU_SOURCE -DLEADQ_VERSION='"$(VERSION)"' \
             -DLEADQ_SQL_DIR='"$(DATADIR)/sql"'
LDHARD     = -pie -Wl,-z,relro,-z,now

MAINS      = worker/main.c worker/leadqctl.c $(wildcard worker/ctl_*.c)
PURE       = $(wildcard ngx_module/leadq_*.c)
LIBSRC     = $(PURE) $(filter-out $(MAINS),$(wildcard worker/*.c))
LIBOBJ     = $(LIBSRC:%.c=$(BUILD)/obj/%.o)
CTLOBJ     = $(patsubst %.c,$(BUILD)/obj/%.o,$(filter worker/ctl_%.c,$(MAINS)))

WORKER     = $(BUILD)/leadq-worker
CTL        = $(BUILD)/leadqctl
LIB        = $(BUILD)/libleadq.a
MODULE     = $(BUILD)/nginx/ngx_http_leadq_module.so

UNIT       = $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%, \
               $(wildcard tests/unit/*.c))
FUZZ       = $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%, \
               $(wildcard tests/fuzz/*.c))
DOOR       = $(BUILD)/tests/door

all: module worker

module: $(MODULE)

worker: $(WORKER) $(CTL)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC      $<")
	$(Q)$(CC) -std=c11 $(CFLAGS) $(SANFLAGS) -fPIE $(WARN_WORKER) $(DEFINES) \
	    $(INCLUDES) -MMD -MP -c $< -o $@

$(LIB): $(LIBOBJ)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(WORKER): $(BUILD)/obj/worker/main.o $(LIB)
	@$(if $(V),,echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(SANFLAGS) $(LDHARD) $(LDFLAGS) $^ $(LIBS) -o $@

$(CTL): $(BUILD)/obj/worker/leadqctl.o $(CTLOBJ) $(LIB)
	@$(if $(V),,echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(SANFLAGS) $(LDHARD) $(LDFLAGS) $^ $(LIBS) -o $@

# The module is built by nginx's own build system, outside its source tree.
$(MODULE): config $(wildcard ngx_module/*.[ch])
	@mkdir -p $(BUILD)/nginx
	@$(if $(V),,echo "  NGINX   $@")
	$(Q)cd $(NGINX_SRC) && bash -c 'test ! -f conf_flags || . ./conf_flags; \
	    ./configure "$${NGX_CONF_FLAGS[@]}" --with-cc="$(CC)" \
	    --with-cc-opt="$(CFLAGS) $(SANFLAGS) -fPIC $(WARN_MODULE)" \
	    --with-ld-opt="$(SANFLAGS) $(LDFLAGS)" \
	    --builddir=$(abspath $(BUILD))/nginx --add-dynamic-module=$(CURDIR)' \
	    > $(abspath $(BUILD))/nginx/configure.log \
	    || { tail -n 20 $(abspath $(BUILD))/nginx/configure.log; exit 1; }
	$(Q)$(MAKE) -s -f $(abspath $(BUILD))/nginx/Makefile -C $(NGINX_SRC) modules

-include $(shell find $(BUILD)/obj $(BUILD)/tests -name '*.d' 2>/dev/null)

# --- tests -------------------------------------------------------------------

# Tests wait more than they compute: three files run at a time.
PROVE1     = LEADQ_CHAOS_LEADS=$(LEADQ_CHAOS_LEADS) \
             LEADQ_CHAOS_JOBS=$(LEADQ_CHAOS_JOBS) \
             LEADQ_CHAOS_CODES=$(LEADQ_CHAOS_CODES) \
             LEADQ_BUILD=$(abspath $(BUILD)) LEADQ_SANITIZE=$(SANITIZE) \
             NODE_PATH=$(abspath build/node_modules) \
             prove --timer $(if $(V),-v) -Itests/lib
PROVE      = $(PROVE1) -j3

# How much is done while everything is killed; the whole of it takes minutes.
LEADQ_CHAOS_LEADS ?= 20000
LEADQ_CHAOS_JOBS  ?= 10000
LEADQ_CHAOS_CODES ?= 5000

# The tests of PARTS run together, so that the machine does not idle while the
# last one of each part ends, and those that take longest begin first.  What
# presses all of the machine by itself, or measures it, follows alone.
PARTS      ?= lint unit sql module worker whole browser
TESTS      = $(if $(filter unit,$(PARTS)),$(UNIT)) \
             $(wildcard $(PARTS:%=tests/%/*.t))
ALONE      = $(filter tests/sql/concurrent% tests/module/spool_disk.t,$(TESTS)) \
             $(if $(filter whole,$(PARTS)),$(wildcard tests/chaos/*.t))
SLOWEST    = $(addprefix tests/,lint/compilers.t browser/pages.t sql/pgtap.t \
               worker/ctl_config_schema_strict.t browser/demo.t \
               worker/ctl_config_schema_agrees.t worker/ctl_codes.t \
               whole/replay.t whole/invented.t whole/codes.t whole/bounces.t \
               worker/mailbox.t module/life.t module/spool_load.t \
               module/limit.t module/crowd.t worker/lease.t \
               module/frozen.t module/config.t)
CROWD      = $(foreach t,$(SLOWEST),$(filter $t,$(TESTS))) \
             $(filter-out $(SLOWEST) $(ALONE),$(TESTS))
CHECKS     = $(addprefix check-,unit sql module worker whole browser)

test:
	$(MAKE) deps
	$(MAKE) check

check: check-parts
	@echo "every check passed; try 'make demo' next"

check-built: worker \
    $(if $(filter lint module whole browser,$(PARTS)),module) \
    $(if $(filter module,$(PARTS)),$(DOOR)) \
    $(if $(filter unit,$(PARTS)),$(UNIT))

check-parts:
	$(MAKE) -j$$(nproc) check-built PARTS="$(PARTS)"
	$(if $(strip $(CROWD)),$(PROVE) $(CROWD))
	$(if $(strip $(ALONE)),$(PROVE1) $(ALONE))

$(CHECKS): check-%:
	$(MAKE) check-parts PARTS=$*

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIB) $(CTLOBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 $(CFLAGS) $(SANFLAGS) $(WARN) $(DEFINES) $(INCLUDES) \
	    -MMD -MP $< $(CTLOBJ) $(LIB) -lcmocka $(LIBS) -o $@

$(DOOR): tests/fuzz/door/main.c tests/fuzz/door/make.c \
         tests/fuzz/door/answer.c tests/fuzz/door/door.h
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 $(CFLAGS) $(SANFLAGS) $(WARN) -D_GNU_SOURCE \
	    $(filter %.c,$^) $$(pkg-config --cflags --libs jansson) -o $@

# The Debian packages, in a copy of this machine that is gone afterwards.
check-package: deb
	$(PROVE) tests/package

# Address, leak and undefined-behaviour sanitizers over everything that runs C.
SANITIZED  ?= unit module worker whole

check-sanitized:
	$(MAKE) SANITIZE=1 LEADQ_CHAOS_LEADS=2000 LEADQ_CHAOS_JOBS=1000 \
	    LEADQ_CHAOS_CODES=500 \
	    LEADQ_REPLAY_LEADS=1000 PARTS="$(SANITIZED)" check-parts

lint:
	$(MAKE) check-parts PARTS=lint

# --- demo, benchmark, fuzzing ------------------------------------------------

demo:
	$(MAKE) deps
	$(MAKE) all
	LEADQ_BUILD=$(abspath $(BUILD)) NODE_PATH=$(abspath build/node_modules) \
	    perl -Itests/lib tests/demo/run

$(BUILD)/tests/bench/noop: tests/bench/noop.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 $(CFLAGS) $(WARN) $(DEFINES) $(INCLUDES) $< \
	    -L$(shell $(PG_CONFIG) --libdir) -lpq -o $@

$(BUILD)/tests/bench/bare: tests/bench/bare.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 $(CFLAGS) $(WARN) $(DEFINES) $< \
	    $(shell pkg-config --cflags --libs libuv libcurl) -o $@

# What "make bench" runs: figures, or with BENCH_SOAK one long run.
BENCHES    = $(if $(filter jobs,$(BENCH_SOAK)),soak_jobs, \
               $(if $(BENCH_SOAK),soak,run jobs lanes callbacks letters \
               codes promo visits))

bench: module worker $(BUILD)/tests/bench/noop $(BUILD)/tests/bench/bare
	@set -e; for b in $(BENCHES); do \
	    LEADQ_BUILD=$(abspath $(BUILD)) perl -Itests/lib tests/bench/$$b; \
	done

# Beside what others use; php-fpm is needed for nothing else.
PEERS      = php-fpm php-pgsql

bench-peers: module worker
	@missing=; for p in $(PEERS); do \
	    dpkg-query -W -f '$${Status}\n' $$p 2>/dev/null | grep -q ' installed$$' \
	        || missing="$$missing $$p"; done; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	[ -z "$$missing" ] || $$sudo env DEBIAN_FRONTEND=noninteractive \
	    RUNLEVEL=1 apt-get install -y -q --no-install-recommends $$missing
	LEADQ_BUILD=$(abspath $(BUILD)) NODE_PATH=$(abspath build/node_modules) \
	    perl -Itests/lib tests/bench/peers

FUZZ_S     ?= 60
FUZZ_FLAGS = -std=c11 -O1 -g -fsanitize=address,undefined
FUZZ_OBJ   = $(LIBSRC:%.c=$(BUILD)/obj/fuzz/%.o)

$(BUILD)/obj/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link $(DEFINES) $(INCLUDES) \
	    -MMD -MP -c $< -o $@

$(BUILD)/tests/fuzz/libleadq.a: $(FUZZ_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(BUILD)/tests/fuzz/libleadq.a
	@mkdir -p $(@D)
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer $(DEFINES) $(INCLUDES) \
	    $^ $(LIBS) -o $@

fuzz: $(FUZZ)
	@set -e; for f in $(FUZZ); do n=$$(basename $$f); \
	    log=$(BUILD)/corpus/$$n.log; mkdir -p $(BUILD)/corpus/$$n; \
	    echo "== $$n, $(FUZZ_S) s"; \
	    $$f -max_total_time=$(FUZZ_S) -print_final_stats=1 \
	        -artifact_prefix=$(BUILD)/corpus/ $(BUILD)/corpus/$$n \
	        tests/fuzz/corpus/$$n > $$log 2>&1 \
	        || { tail -n 40 $$log; exit 1; }; \
	    grep -E '^Done|average_exec' $$log; done

# Mutated requests against a running nginx; the same seed, the same requests.
fuzz-door: module $(DOOR)
	LEADQ_REQUESTS=$(or $(FUZZ_N),1000000) \
	    LEADQ_SEED=$(or $(FUZZ_SEED),$$(date +%s)) \
	    $(PROVE) -v tests/module/mutated.t

# --- what the machine needs --------------------------------------------------

DEPS_BUILD = gcc make pkg-config nginx-dev libpq-dev libssl-dev libjansson-dev \
             libidn2-dev libuv1-dev libcurl4-openssl-dev libinih-dev \
             libsystemd-dev libmicrohttpd-dev libcsv-dev libc-ares-dev \
             libgmime-3.0-dev
DEPS_RUN   = nginx postgresql-15
DEPS_TEST  = clang openssl clang-format libclang-rt-14-dev libcmocka-dev perl \
             postgresql-15-pgtap libtap-parser-sourcehandler-pgtap-perl \
             postfix pgbouncer wrk mandoc pmccabe shellcheck cppcheck chromium \
             curl prometheus systemd dovecot-imapd

# For "make deb" and its test.
DEPS_DEB   = debhelper dpkg-dev fakeroot lintian iproute2

deps:
	@missing=; for p in $(DEPS_BUILD) $(DEPS_RUN) $(DEPS_TEST) $(DEPS_DEB); do \
	    dpkg-query -W -f '$${Status}\n' $$p 2>/dev/null | grep -q ' installed$$' \
	        || missing="$$missing $$p"; done; \
	command -v node >/dev/null || missing="$$missing nodejs"; \
	command -v npm >/dev/null || missing="$$missing npm"; \
	if [ -n "$$missing" ]; then \
	    echo "installing Debian packages:$$missing"; \
	    sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	    $$sudo apt-get update -q && $$sudo env DEBIAN_FRONTEND=noninteractive \
	        RUNLEVEL=1 apt-get install -y -q --no-install-recommends $$missing; \
	else echo "every Debian package needed is installed"; fi
	@mkdir -p build; \
	if [ -d build/node_modules ] \
	    && cmp -s tests/package-lock.json build/package-lock.json; then \
	    echo "every npm module needed is installed"; \
	else \
	    echo "installing npm modules into build/node_modules"; \
	    cp tests/package.json tests/package-lock.json build/; \
	    cd build && npm ci --no-audit --no-fund; fi

# --- install -----------------------------------------------------------------

# Samples and units name the paths of a package; what is installed, its own.
PATHS      = sed -e 's,/usr/sbin/leadq,$(SBINDIR)/leadq,' \
             -e 's,/usr/share/leadq,$(DATADIR),' \
             -e 's,/etc/leadq,$(SYSCONFDIR),'
MONITORING = $(wildcard conf/grafana conf/prometheus)

# The charts of the report; "make deps" brings them.  Without them the report
# is text and tables.
ECHARTS   ?= build/node_modules/echarts/dist/echarts.common.min.js

install: install-module install-worker install-sql

install-module: module
	install -D -m 644 $(MODULE) \
	    $(DESTDIR)$(MODULEDIR)/ngx_http_leadq_module.so
	install -d $(DESTDIR)$(DATADIR)/nginx
	for f in conf/nginx/*; do \
	    $(PATHS) $$f > $(DESTDIR)$(DATADIR)/nginx/$${f##*/}; done
	install -D -m 644 -t $(DESTDIR)$(DATADIR)/html conf/html/*
	if [ -e "$(ECHARTS)" ]; then install -m 644 "$(ECHARTS)" \
	    $(DESTDIR)$(DATADIR)/html/echarts.min.js; \
	else echo "the report has no charts: make deps brings them"; fi
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man5 \
	    $(wildcard ngx_module/*.5)

install-worker: worker
	install -D -m 755 -t $(DESTDIR)$(SBINDIR) $(WORKER) $(CTL)
	install -D -m 644 -t $(DESTDIR)$(DATADIR) conf/leadq.json \
	    conf/leadq.schema.json conf/welcome.json conf/verifications.json \
	    conf/programmes.json
	install -D -m 644 -t $(DESTDIR)$(DATADIR)/letters conf/letters/*
	install -D -m 644 -t $(DESTDIR)$(DATADIR)/networks conf/networks/*
	install -D -m 644 -t $(DESTDIR)$(DATADIR)/gateways conf/gateways/*
	for d in $(notdir $(MONITORING)); do \
	    install -D -m 644 -t $(DESTDIR)$(DATADIR)/$$d conf/$$d/*; done
	test -e $(DESTDIR)$(SYSCONFDIR)/worker.conf \
	    || install -D -m 640 -t $(DESTDIR)$(SYSCONFDIR) conf/worker.conf
	install -d $(DESTDIR)$(UNITDIR)
	$(PATHS) -e '/^# The units are/,/^$$/d' \
	    conf/systemd/leadq-worker.service \
	    > $(DESTDIR)$(UNITDIR)/leadq-worker.service
	sed -e 's,/worker\.conf,/%i.conf,' -e '/^Description=/s,$$, (%i),' \
	    $(DESTDIR)$(UNITDIR)/leadq-worker.service \
	    > $(DESTDIR)$(UNITDIR)/leadq-worker@.service
	install -D -m 644 conf/systemd/leadq-worker.sysusers \
	    $(DESTDIR)$(SYSUSERSDIR)/leadq-worker.conf
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man5 $(wildcard worker/*.5)
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man8 $(wildcard worker/*.8)

install-sql:
	install -D -m 644 -t $(DESTDIR)$(DATADIR)/sql sql/*.sql
	for d in migrations functions views; do \
	    install -D -m 644 -t $(DESTDIR)$(DATADIR)/sql/$$d sql/$$d/*.sql; done

# A worker.conf that somebody has changed stays, like all that lies beside it.
uninstall:
	rm -f $(DESTDIR)$(MODULEDIR)/ngx_http_leadq_module.so \
	    $(DESTDIR)$(SBINDIR)/leadq-worker $(DESTDIR)$(SBINDIR)/leadqctl \
	    $(DESTDIR)$(SYSUSERSDIR)/leadq-worker.conf \
	    $(DESTDIR)$(UNITDIR)/leadq-worker.service \
	    $(DESTDIR)$(UNITDIR)/leadq-worker@.service \
	    $(patsubst ngx_module/%,$(DESTDIR)$(MANDIR)/man5/%, \
	        $(wildcard ngx_module/*.5)) \
	    $(patsubst worker/%,$(DESTDIR)$(MANDIR)/man5/%, \
	        $(wildcard worker/*.5)) \
	    $(patsubst worker/%,$(DESTDIR)$(MANDIR)/man8/%, \
	        $(wildcard worker/*.8))
	rm -rf $(DESTDIR)$(DATADIR)
	! cmp -s conf/worker.conf $(DESTDIR)$(SYSCONFDIR)/worker.conf \
	    || rm $(DESTDIR)$(SYSCONFDIR)/worker.conf
	test ! -d $(DESTDIR)$(SYSCONFDIR) \
	    || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(SYSCONFDIR)

# --- release -----------------------------------------------------------------

RELEASE    = leadq-$(VERSION)
DEBS       = libnginx-mod-http-leadq leadq-worker leadq-sql

# Both take what is committed.
dist:
	@mkdir -p $(BUILD)
	git archive --prefix=$(RELEASE)/ HEAD | gzip -9n > $(BUILD)/$(RELEASE).tar.gz
	@echo "$(BUILD)/$(RELEASE).tar.gz"

deb:
	@rm -rf $(BUILD)/deb && mkdir -p $(BUILD)/deb
	git archive --prefix=$(RELEASE)/ HEAD | tar -x -C $(BUILD)/deb
	mv $(BUILD)/deb/$(RELEASE)/conf/debian $(BUILD)/deb/$(RELEASE)/debian
	sed -i '1s/(.*)/($(VERSION))/' $(BUILD)/deb/$(RELEASE)/debian/changelog
	cd $(BUILD)/deb/$(RELEASE) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
	    ECHARTS=$(abspath $(ECHARTS)) dpkg-buildpackage -b -us -uc -j2 > ../build.log 2>&1 \
	    || { tail -n 40 ../build.log; exit 1; }
	@rm -f $(DEBS:%=$(BUILD)/%_*.deb)
	@cp $(DEBS:%=$(BUILD)/deb/%_*.deb) $(BUILD)/
	@ls $(DEBS:%=$(BUILD)/%_*.deb)

format:
	clang-format -i worker/*.[ch]

clean:
	rm -rf build

help:
	@echo "make            build the module and the worker into $(BUILD)/"
	@echo "make deps       install the Debian packages and npm modules needed"
	@echo "make test       deps, then check"
	@echo "make check      every test; check-unit check-sql check-module"
	@echo "                check-worker check-whole check-browser run a part,"
	@echo "                check-parts PARTS=\"unit sql\" some of them together;"
	@echo "                check-built builds what they need"
	@echo "                LEADQ_CHAOS_JOBS=50000 LEADQ_CHAOS_LEADS=20000: how much"
	@echo "                work is done while everything is killed"
	@echo "make check-sanitized  the same under ASan and UBSan"
	@echo "make demo       the whole of leadq on this machine, with a tour"
	@echo "make bench      figures, also in $(BUILD)/bench.tsv;"
	@echo "                BENCH_SOAK=5000000: memory over so many requests"
	@echo "                BENCH_SOAK=jobs: sizes over a day of a million jobs"
	@echo "make bench-peers  leadq beside Node and PHP-FPM"
	@echo "make fuzz       every fuzzer for FUZZ_S=60 seconds"
	@echo "make fuzz-door  FUZZ_N=1000000 mutated requests against nginx"
	@echo "make lint       limits, style, manuals, scripts"
	@echo "make format     clang-format over worker/"
	@echo "make install    module, worker, leadqctl, sql, units, samples"
	@echo "make deb        Debian packages of the last commit, in $(BUILD)/"
	@echo "make check-package  builds, installs, upgrades and purges them"
	@echo "make dist       the sources of the last commit as a tar file"
	@echo "make uninstall clean help"
	@echo "Variables: PREFIX DESTDIR SBINDIR DATADIR MANDIR SYSCONFDIR UNITDIR"
	@echo "           SYSUSERSDIR MODULEDIR CC CFLAGS LDFLAGS PG_CONFIG NGINX_SRC BUILD"
	@echo "           SANITIZE=1 WERROR=1 V=1"

.PHONY: all module worker test check check-built check-parts $(CHECKS) check-package \
        check-sanitized lint demo bench bench-peers fuzz fuzz-door dist deb deps \
        install install-module install-worker install-sql uninstall format \
        clean help
