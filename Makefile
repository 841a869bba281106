# make run    live detection with the rules in rules/ (installs what is missing, as root)
# make test   everything that must hold: format, lints, tests, fuzz targets for FUZZ_SECONDS each
# make docs   writes the reference pages under docs/reference from the program's tables
# make differential  random conditions: the compiled graph against a plain interpreter, over PAIRS pairs
# make parity how many field values differ from upstream's answers, by field and capture
# make test-kernels the driver's live tests on other kernels, in emulated machines (MACHINE=x86_64 or aarch64)
# make deny   licenses, bans and sources of all dependencies (needs cargo-deny; installs it where it is missing)
# make bench  measures and writes docs/benchmarks.md
SHELL := /bin/bash
CARGO ?= cargo
FUZZ_SECONDS ?= 10
PAIRS ?= 2000000
SEED ?= 1
FUZZ_TARGETS := $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))

.PHONY: run build deps test test-kernels lint fuzz differential docs parity deny bench

run: deps
	$(CARGO) build --release
	./target/release/peregrine run -c peregrine.yaml -r rules $(ARGS)

build: deps
	$(CARGO) build --release

deps:
	@./packaging/need

test: lint
	$(CARGO) test --workspace --no-fail-fast
	$(MAKE) --no-print-directory fuzz

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

# The fuzzer needs a compiler flag that stable Rust gives only when asked like this; the targets are ordinary code.
fuzz:
	@set -e; $(CARGO) run -q --manifest-path fuzz/Cargo.toml --bin seeds; \
	$(if $(FUZZ_TARGETS),command -v cargo-fuzz >/dev/null || $(CARGO) install --locked cargo-fuzz;) \
	for target in $(FUZZ_TARGETS); do \
	  echo "fuzz $$target for $(FUZZ_SECONDS) s"; \
	  RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -timeout=10 2>&1 | tail -n 3; \
	  test "$${PIPESTATUS[0]}" -eq 0; \
	done

# Every field of every event of the corpus against upstream's answers: how many values differ, by field and capture.
parity:
	@PEREGRINE_PARITY=1 $(CARGO) test -q -p peregrine-engine --test truth -- --nocapture --test-threads=1

docs:
	PEREGRINE_WRITE_DOCS=1 $(CARGO) test -q --test reference
	PEREGRINE_WRITE_DOCS=1 $(CARGO) test -q --test evasion the_page
	PEREGRINE_WRITE_DOCS=1 $(CARGO) test -q -p peregrine-driver --test live the_page_of_the_surface

differential:
	PEREGRINE_PAIRS=$(PAIRS) PEREGRINE_SEED=$(SEED) $(CARGO) test -q --release -p peregrine-engine --test replays the_graph -- --nocapture

# Advisories come from a database of their own, which need not be in reach: `cargo deny check` asks it too.
deny:
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check licenses bans sources

bench: deps
	$(CARGO) bench --bench report

# The driver's live tests and the program with its rules on other kernels, in emulated machines: those of
# MACHINE=x86_64 or aarch64, or of both. PEREGRINE_WRITE_DOCS=1 writes what they said to docs/kernels.md.
test-kernels: deps
	CARGO="$(CARGO)" ./tests/kernels/run $(MACHINE)
