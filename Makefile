# decouple: queues and topics inside PostgreSQL
#
#	make			builds
#	make install	installs into the PostgreSQL of PG_CONFIG
#	make test		sets up what is missing, builds, installs, runs all tests
#	make demo		the same, and runs the order application
#	make help		lists the rest

EXTENSION := decouple
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" decouple.control)
MODULE_big := decouple

# one per line, from the lowest floor up
OBJS := \
	src/base/arguments.o \
	src/base/catalog.o \
	src/base/database.o \
	src/base/names.o \
	src/base/rows.o \
	src/base/settings.o \
	src/base/shared.o \
	src/base/waiting.o \
	src/egress/address.o \
	src/egress/frame.o \
	src/security/policy.o \
	src/store/claim.o \
	src/store/count.o \
	src/store/ending.o \
	src/store/fair.o \
	src/store/find.o \
	src/store/group.o \
	src/store/head.o \
	src/store/insert.o \
	src/store/journal.o \
	src/store/move.o \
	src/store/oldest.o \
	src/store/receipt.o \
	src/store/scan.o \
	src/store/settle.o \
	src/store/table.o \
	src/store/visit.o \
	src/store/visit_groups.o \
	src/queue/attempt.o \
	src/queue/attributes.o \
	src/queue/await.o \
	src/queue/blocked.o \
	src/queue/call.o \
	src/queue/channel.o \
	src/queue/create.o \
	src/queue/dead_letter.o \
	src/queue/definition.o \
	src/queue/definition_rows.o \
	src/queue/deduplication.o \
	src/queue/deliverable.o \
	src/queue/draft.o \
	src/queue/memory.o \
	src/queue/metrics.o \
	src/queue/options.o \
	src/queue/peek.o \
	src/queue/purge.o \
	src/queue/receive.o \
	src/queue/redrive.o \
	src/queue/redrive_task.o \
	src/queue/retry.o \
	src/queue/schedule.o \
	src/queue/send.o \
	src/queue/settle.o \
	src/queue/table.o \
	src/queue/totals.o \
	src/queue/upkeep.o \
	src/queue/wait.o \
	src/topic/changes.o \
	src/topic/confirmation.o \
	src/topic/create_topic.o \
	src/topic/delivery_policy.o \
	src/topic/drop_trigger.o \
	src/topic/envelope.o \
	src/topic/fan_out.o \
	src/topic/fields.o \
	src/topic/filter.o \
	src/topic/filter_body.o \
	src/topic/filter_compile.o \
	src/topic/filter_match.o \
	src/topic/filter_operators.o \
	src/topic/headers.o \
	src/topic/identity.o \
	src/topic/lane_measures.o \
	src/topic/protocol.o \
	src/topic/publish.o \
	src/topic/schedule_publish.o \
	src/topic/signature.o \
	src/topic/subscribe.o \
	src/topic/subscription.o \
	src/topic/topic.o \
	src/topic/topic_totals.o \
	src/delivery/delivery.o \
	src/delivery/delivery_log.o \
	src/delivery/egress.o \
	src/delivery/endpoints.o \
	src/delivery/http.o \
	src/delivery/lanes.o \
	src/delivery/to_function.o \
	src/delivery/to_notify.o \
	src/delivery/to_queue.o \
	src/delivery/transport.o \
	src/worker/functions.o \
	src/worker/launcher.o \
	src/worker/leave.o \
	src/worker/maintain.o \
	src/worker/round.o \
	src/worker/status.o \
	src/worker/step.o \
	src/worker/tick.o \
	src/worker/worker.o \
	src/decouple.o

# one per line, in the order in which they load
SQL_PARTS := \
	src/sql/preamble.sql \
	src/sql/types.sql \
	src/sql/tables.sql \
	src/sql/queue.sql \
	src/sql/message.sql \
	src/sql/filter.sql \
	src/sql/topic.sql \
	src/sql/schedule.sql \
	src/sql/upkeep.sql \
	src/sql/tap.sql

DATA_built := decouple--$(EXTVERSION).sql
EXTRA_CLEAN := decouple--$(EXTVERSION).sql test/bench/latency

# the program that sends HTTP requests: plain C, so nothing of PostgreSQL's flags
EGRESS := src/egress/decouple-egress
EGRESS_OBJS := \
	src/egress/address.egress.o \
	src/egress/check.egress.o \
	src/egress/frame.egress.o \
	src/egress/handle.egress.o \
	src/egress/loop.egress.o \
	src/egress/main.egress.o \
	src/egress/request.egress.o \
	src/egress/settings.egress.o
EGRESS_CFLAGS := -O2 -g -Wall -Wextra -Werror -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2
EGRESS_LDFLAGS := -pie -Wl,-z,relro,-z,now
CURL_CONFIG ?= curl-config
EXTRA_CLEAN += $(EGRESS) $(EGRESS_OBJS)

PG_CPPFLAGS := -Isrc
PG_CFLAGS := -Wall -Wextra -Wno-unused-parameter -Werror
SHLIB_LINK := -lcrypto -Wl,--version-script=src/decouple.map

# bitcode for the planner's inliner would need clang, and nothing here is inlined
override with_llvm := no

# Debian keeps each version's own pg_config here
PG_MAJOR ?= 15
PG_CONFIG ?= $(firstword $(wildcard /usr/lib/postgresql/$(PG_MAJOR)/bin/pg_config) pg_config)
export PG_MAJOR PG_CONFIG
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
SERVER_INCLUDES := $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)

# On a machine without PostgreSQL's development files the goals below install
# them first; the goals of PGXS say that they are missing.
ifneq ($(and $(wildcard $(PGXS)),$(wildcard $(SERVER_INCLUDES)/postgres.h)),)
include $(PGXS)
all: $(EGRESS)
install: install-egress
uninstall: uninstall-egress
else
.DEFAULT_GOAL := all
all install clean:
	@echo "PostgreSQL's development files are missing: install postgresql-server-dev-$(PG_MAJOR)," >&2
	@echo "or name your pg_config: make PG_CONFIG=/path/to/pg_config" >&2
	@exit 1
endif

decouple--$(EXTVERSION).sql: $(SQL_PARTS) decouple.control
	cat $(SQL_PARTS) > $@

# a change of a header rebuilds all: there are few files
$(OBJS): $(wildcard src/*/*.h)

# ---- decouple-egress ----

.PHONY: install-egress uninstall-egress

$(EGRESS_OBJS): $(wildcard src/egress/*.h)

# some are in the library too, so the program's objects have another ending
src/egress/%.egress.o: src/egress/%.c
	$(CC) $(EGRESS_CFLAGS) -Isrc $(shell $(CURL_CONFIG) --cflags) -c -o $@ $<

$(EGRESS): $(EGRESS_OBJS)
	$(CC) $(EGRESS_LDFLAGS) -o $@ $(EGRESS_OBJS) $(shell $(CURL_CONFIG) --libs) -pthread

install-egress: $(EGRESS)
	$(MKDIR_P) '$(DESTDIR)$(pkglibdir)'
	$(INSTALL_PROGRAM) $(EGRESS) '$(DESTDIR)$(pkglibdir)/decouple-egress'

uninstall-egress:
	rm -f '$(DESTDIR)$(pkglibdir)/decouple-egress'

# ---- what needs more than a build ----

.PHONY: test test-versions check-one demo bench soak psql valgrind fuzz format format-check help

# builds and installs, where the caller may; else checks what is installed
READY := test/ready

test:
	@test/setup test
	@$(READY)
	@test/run

test-versions:
	@test/other-versions

check-one:
	@test/setup test
	@$(READY)
	@test/run $(T)

demo:
	@test/setup demo
	@$(READY)
	@test/demo/run

bench:
	@test/setup bench
	@$(READY)
	@$(MAKE) -s test/bench/latency
	@test/bench/run

# a program of libpq, so not of PGXS
test/bench/latency: test/bench/latency.c
	$(CC) -O2 -Wall -Wextra -Werror -I$$($(PG_CONFIG) --includedir) -o $@ $< -L$$($(PG_CONFIG) --libdir) -lpq

soak:
	@test/setup test
	@$(READY)
	@test/soak

psql:
	@test/setup build
	@$(READY)
	@test/psql

valgrind:
	@test/setup test
	@$(READY)
	@test/valgrind/run

fuzz:
	@test/setup test
	@test/fuzz/run

format:
	clang-format -i $$(git ls-files 'src/*.[ch]')

format-check:
	clang-format --dry-run -Werror $$(git ls-files 'src/*.[ch]')

help:
	@echo 'make               build'
	@echo 'make install       install into the PostgreSQL of PG_CONFIG'
	@echo 'make test          run all tests'
	@echo 'make test-versions run them with PostgreSQL 17 and 18, in chroots'
	@echo 'make check-one T=f run one test, by its file or name'
	@echo 'make demo          run the order application'
	@echo 'make bench         measure beside other queues'
	@echo 'make soak          a million random operations in each mode, and fifty crashes'
	@echo 'make psql          try it: a private server, gone when you leave'
	@echo 'make valgrind      run the tests under valgrind'
	@echo 'make fuzz          give parsers broken input, FUZZ_SECONDS=n each; PostgreSQL 15'
	@echo 'make format        format the C files; format-check only looks'
