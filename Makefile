# Passerelle: every daily task is one word here, and each prepares what it needs (.venv/.stamp).
# ARGS="..." is handed to the command. Recipes stay one or two lines; what is longer lives in .ci/.
# What must not enter: the path of a machine, the address of a registry.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin

.PHONY: help setup run test check format bench demo interop faults fuzz soak clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*##/\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: .venv/.stamp  ## prepare .venv (then .venv/bin/passerelle is the command)

.venv/.stamp: requirements.lock pyproject.toml .ci/setup
	@.ci/setup

run: .venv/.stamp  ## a gateway, a simulated carrier and a simulated client: see messages pass
	@$(BIN)/passerelle run $(ARGS)

demo: .venv/.stamp  ## the same with a bounded number of messages, then the proof and the end
	@$(BIN)/passerelle demo $(ARGS)

test: .venv/.stamp  ## prove everything (ARGS="tests/telecom -k septets" narrows)
	@.ci/test $(ARGS)

check: .venv/.stamp  ## format, lint, types, import contracts, tidy
	@$(BIN)/ruff format --check --quiet --output-format concise . || { echo 'check: make format puts it right'; exit 1; }
	@$(BIN)/ruff check --quiet --output-format concise .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo --cache-dir .import_linter_cache >.venv/contracts.log || { cat .venv/contracts.log; exit 1; }
	@$(BIN)/python -m pytest tests/tidy
	@echo 'check: format, lint, types, import contracts and tidy hold'

format: .venv/.stamp  ## put the format and the order of imports right
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix --select I .

bench: .venv/.stamp  ## the figures
	@$(BIN)/python -m tests.bench $(ARGS)

interop: .venv/.stamp  ## real peers: Kannel, smpplib, smpp34, tshark
	@.ci/interop $(ARGS)

faults: .venv/.stamp  ## kill -9 a hundred times, then every other fault (PASSERELLE_FAULT_SEED=N repeats a run)
	@$(BIN)/python -m pytest -s $(if $(ARGS),$(ARGS),tests/faults tests/faults/long_freeze.py)

fuzz: .venv/.stamp  ## every decoder, 10^8 executions each (ARGS="--runs 1000000 --target tpdu" narrows)
	@$(BIN)/python -m tests.fuzz $(if $(ARGS),$(ARGS),--runs 100000000)

soak: .venv/.stamp  ## kill -9 a thousand times, then a long run in bad company (PASSERELLE_FAULT_CYCLES, PASSERELLE_SOAK_S)
	@PASSERELLE_FAULT_CYCLES=$${PASSERELLE_FAULT_CYCLES:-500} $(BIN)/python -m pytest -s $(if $(ARGS),$(ARGS),tests/faults/test_kills.py tests/faults/soak.py)

clean:  ## stop the embedded PostgreSQL and remove all that was made here (also .passerelle, the demo's data)
	@for file in .passerelle/*/postmaster.pid; do \
		[ -f "$$file" ] && pid=$$(head -n 1 "$$file") && [ "$$(cat /proc/$$pid/comm 2>/dev/null)" = postgres ] \
			&& [ "$$(readlink -f /proc/$$pid/cwd)" = "$$(readlink -f "$$(dirname "$$file")")" ] && kill -INT "$$pid"; \
	done; true
	@rm -rf .venv .passerelle build ./*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
