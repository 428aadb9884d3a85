# make run    installs what is missing, builds, and starts the server on an embedded Redis
# make test   the same set-up, then every test
# make lint   format, C warnings, and the rules that no compiler checks
# make openapi  what the server answers against its OpenAPI documents, with schemathesis from PyPI
# make faults the fault table against real Redis processes; ROW=24, ROWS=1-22, SEED=7, SHORT=1, MUTANTS=1
# make bench  Headgate and its neighbours side by side, measured; QUICK=1 takes less than three minutes and writes nothing, ROUNDS=5
# make fuzz   the C module under AddressSanitizer and libFuzzer, SECONDS_EACH seconds each (30)
SHELL := bash
POLICY ?= policies/tensorone.yaml
LISTEN ?= 127.0.0.1:8080
SECONDS_EACH ?= 30
RELEASE := swift build -c release --package-path Benchmarks --scratch-path .build-benchmarks

.PHONY: help setup build run test lint openapi faults bench fuzz clean

help:
	@sed -n '1,/^SHELL/{/^#/s/^# //p}' Makefile

setup:
	@scripts/setup

build: setup
	@echo "build: headgate (the first build takes some minutes)"
	@swift build --product headgate

run: build
	@scripts/try-lines "$(LISTEN)"
	@exec "$$(swift build --show-bin-path)/headgate" serve --policy "$(POLICY)" --listen "$(LISTEN)" --redis embedded

# One suite at a time: the integration tests measure time, and this keeps the others from being in their way.
test:
	@scripts/setup test
	@echo "test: building (the first build takes some minutes)"
	@swift build --build-tests
	@echo "test: running"
	@swift test --skip-build --no-parallel
	@echo "test: the fault table's short selection"
	@cd Tests/Faults && python3 -m unittest --quiet test_checkers
	@python3 Tests/Faults/run.py --short

lint: setup
	@scripts/lint

openapi:
	@scripts/setup openapi
	@echo "openapi: building (the first build takes some minutes)"
	@swift build --product headgate
	@scripts/check-openapi

# A run of all rows writes their table to docs/faults.md.
faults:
	@scripts/setup test
	@echo "faults: building (the first build takes some minutes)"
	@swift build --product FaultWorker
	@swift build --product headgate
ifdef MUTANTS
	@python3 Tests/Faults/mutants.py --write docs/faults.md $(if $(filter-out 1,$(MUTANTS)),--only $(MUTANTS))
else
	@cd Tests/Faults && python3 -m unittest -q test_checkers
	@python3 Tests/Faults/run.py $(if $(SHORT),--short) $(if $(SEED),--seed $(SEED)) \
		$(if $(ROW)$(ROWS),--rows $(ROW)$(ROWS),$(if $(SHORT),,--write docs/faults.md))
endif

# A whole run writes Benchmarks/RESULTS.md. One release build for all: of Benchmarks and of the command.
bench:
	@scripts/setup bench
	@echo "bench: building in release mode (the first build takes some minutes)"
	@for product in headgate NaiveWrapper Resolution; do $(RELEASE) --product $$product || exit; done
	@programs=$$($(RELEASE) --show-bin-path) && python3 Benchmarks/run.py $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS)) --headgate "$$programs/headgate" \
		--naive "$$programs/NaiveWrapper" --resolution "$$programs/Resolution"

fuzz: setup
	@SECONDS_EACH=$(SECONDS_EACH) Fuzz/run.sh

clean:
	@rm -rf .build .build-*
