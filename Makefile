# Shiprider: `make demo` shows it, `make test` proves it. Everything lives in .venv.
SHELL := /bin/bash
.DELETE_ON_ERROR:
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
# Without kept bytecode each of the hundreds of processes that the tests start would compile the same modules again.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
UV_VERSION := 0.13.9
STATIC := src/shiprider/api/static/index.html
WEB_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
INSTALL = $(UV) pip install -q --python $(BIN)/python --require-hashes -r
# Node from the machine where there is one (20 or newer), else from a wheel in .venv.
NODE_OK = command -v node >/dev/null && command -v npm >/dev/null && [ "$$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ]

NODE_PATH = { $(NODE_OK); } || export PATH="$(CURDIR)/$(BIN):$$PATH"

.PHONY: help demo test setup check bench soak fuzz lock web clean

help: ## this page
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

demo: $(VENV)/.run web ## a simulated day, from bytes to a map with alerts in the browser, and a coalition of four nodes
	$(BIN)/shiprider demo --coalition

test: setup check ## everything CI runs: linters, types, floors, tests, the browser
	$(BIN)/pytest -q -rfEs --durations=25 -n 2 --dist loadfile -m "not slow"

check: $(VENV)/.dev ## linters, types and floors only; the client's too, where its packages are installed
	$(BIN)/ruff check src tests
	$(BIN)/ruff format --check src tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if [ -d web/node_modules/svelte ]; then $(NODE_PATH); \
	  cd web && npm run --silent check && npm run --silent generated && npm run --silent test; \
	else echo "The client is not checked: its packages are not installed (make web)."; fi

setup: $(VENV)/.dev $(VENV)/.chromium web $(VENV)/.compiled ## install everything into .venv (and Debian's Chromium for the browser tests)

bench: $(VENV)/.bench ## one table: ours beside the peers
	$(BIN)/shiprider bench all

fuzz: $(VENV)/.dev ## a million mutations per decoder
	$(BIN)/pytest -q -m slow tests/fuzz

soak: $(VENV)/.dev ## the long tests: ten minutes live, hundreds of crashes
	$(BIN)/pytest -q -m slow tests --ignore tests/fuzz

web: $(STATIC) ## build the watch floor

$(UV):
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Shiprider needs Python 3.11 or newer: set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(UV)
	$(INSTALL) requirements/run.txt
	$(UV) pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(UV)
	$(INSTALL) requirements/dev.txt
	$(UV) pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@ $(VENV)/.run

$(VENV)/.bench: requirements/bench.txt requirements/cluster.txt requirements/bench-native.in $(VENV)/.dev
	$(INSTALL) requirements/bench.txt
	-$(INSTALL) requirements/cluster.txt
	-@for peer in $$(cat requirements/bench-native.in); do $(UV) pip install -q --python $(BIN)/python "$$peer" || echo "peer $$peer cannot be installed here: it is reported as absent"; done
	@touch $@

# What the first decoding on a machine would compile.
$(VENV)/.compiled: $(wildcard src/shiprider/formats/ais/*.py) src/shiprider/measure/kernels.py | $(VENV)/.run
	@printf '%s\n' '!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24' > $@.nmea
	@$(BIN)/shiprider decode $@.nmea --json >/dev/null
	@$(BIN)/python -P -m shiprider.formats.ais.beside rows >/dev/null
	@rm $@.nmea
	@touch $@

# The browser tests drive Debian's Chromium; without rights to install it they are skipped, with the reason.
$(VENV)/.chromium: | $(UV)
	@if [ ! -x /usr/bin/chromium ] && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	elif [ ! -x /usr/bin/chromium ]; then echo "Chromium is not installed: the browser tests will be skipped (apt-get install chromium)."; fi
	@touch $@

$(VENV)/.node: requirements/node.txt | $(UV)
	@$(NODE_OK) || $(INSTALL) requirements/node.txt
	@touch $@

$(STATIC): $(WEB_SOURCES) | $(VENV)/.node
	$(NODE_PATH); \
	cd web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build
	@touch $@

lock: | $(UV) ## compile the requirements with hashes
	for set in "run" "dev --extra dev" "bench --extra dev --extra bench" "cluster --extra cluster" "node --extra node"; do \
	  set -- $$set; out=$$1; shift; \
	  $(UV) pip compile -q pyproject.toml "$$@" --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements/$$out.txt || exit 1; \
	done

clean: ## remove what was built
	rm -rf $(VENV) web/node_modules web/dist src/shiprider/api/static demo
