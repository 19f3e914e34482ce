# Everything a person types. Each target sets up what it needs; the long form is in README.md.
JOBS ?= $(shell nproc)
PRESET ?= release
FUZZ_SECONDS ?= 60
TARGETS ?=

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup build test test-asan test-tsan demo soak mutants fuzz bench package tidy format clean

help: ## show this
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## install what tests and demo need (once; then it takes no time)
	@tools/setup

build: ## compile (PRESET=dev|release|asan|tsan|clang, default release)
	@tools/setup --skip-clients
	@tools/tidy --no-format
	@cmake --preset $(PRESET) -Wno-dev --log-level=WARNING
	@cmake --build --preset $(PRESET) -j $(JOBS)

test: setup build tidy ## release build, unit tests, end-to-end suites
	@. tools/env && tools/run-tests --preset $(PRESET)

test-asan: setup ## unit tests with address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory build PRESET=asan
	@. tools/env && tools/run-tests --preset asan --unit

# Debian's RocksDB is not instrumented, and the thread sanitizer reports falsely on what it does.
test-tsan: setup ## unit tests with the thread sanitizer, without those that link RocksDB
	@$(MAKE) --no-print-directory build PRESET=tsan
	@. tools/env && tools/run-tests --preset tsan --unit --exclude rocksdb

demo: setup build ## the whole story in front of your eyes (FULL=1: more and larger files)
	@. tools/env && FULL=$(FULL) tools/demo

soak: setup build ## model sequences and kill -9 cycles for SOAK_MINUTES=60, into build/soak.json and tests/soak/ledger.md
	@. tools/env && $$TOMBOLO_PYTHON tools/soak --preset $(PRESET)

fuzz: ## libFuzzer over every parser (FUZZ_SECONDS=60 of each, TARGETS=http_request,auth_sas), into build/fuzz.json
	@tools/setup --fuzz
	@tools/fuzz --seconds $(FUZZ_SECONDS) --targets "$(TARGETS)" --jobs $(JOBS)

mutants: setup ## plant each bug of src/base/planted_bugs.h; the tests must notice (BUGS=name,... MUTANT_SECONDS=30)
	@$(MAKE) --no-print-directory build PRESET=mutants
	@tools/mutants $(if $(BUGS),--only $(BUGS)) --seconds $(or $(MUTANT_SECONDS),30)

bench: build ## speed against peers, into build/bench.json (ROWS=get_4k,put_4k QUICK=1 BASE=other/tombolo PAGE=1)
	@tools/setup --bench
	@. tools/env && TOMBOLO_BIN=$(CURDIR)/build/$(PRESET)/src/tombolo $$TOMBOLO_PYTHON bench/run --rows "$(ROWS)" \
	  $(if $(QUICK),--quick) $(if $(PAGE),--page) $(if $(BASE),--base $(BASE)) --build build/$(PRESET)

package: build ## a Debian package with unit, configuration and docs, into build/package
	@tools/package --binary build/$(PRESET)/src/tombolo

tidy: ## floors, file lengths, banned calls, formatting
	@tools/tidy

format: ## format all C++ files in place
	@tools/tidy --fix-format

clean: ## remove build/ (installed clients stay)
	@rm -rf build
