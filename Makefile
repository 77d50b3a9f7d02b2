# authsvc: `make help` lists what there is.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
COVERED := authsvc/auth/*,authsvc/guard/*,authsvc/sessions/*,authsvc/tokens/*,authsvc/audit/*
NODE_MODULES := $(patsubst %/package-lock.json,%/node_modules,$(wildcard tests/*/package-lock.json))

.DEFAULT_GOAL := help
.PHONY: help run test bench soak mutants lock clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run instance/authsvc.env  ## Serve on http://localhost:8000 (PORT=8001 moves it)
	@printf '%s\n' '' 'authsvc on http://localhost:$(PORT) (Ctrl-C ends it).' 'Look at http://localhost:$(PORT)/demo, or try:' '' \
	  "  curl -i localhost:$(PORT)/auth/register --json '{\"email\": \"alice@example.com\", \"password\": \"correct horse battery staple\"}'" ''
	@exec env AUTHSVC_DEMO=true AUTHSVC_ACCESS_TOKEN_TTL=$${AUTHSVC_ACCESS_TOKEN_TTL:-60} PORT=$(PORT) $(BIN)/python -m authsvc serve

test: $(VENV)/.test $(NODE_MODULES)  ## Run every test and check
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@PYTHONUTF8=1 $(BIN)/lint-imports --no-logo
	@$(BIN)/pytest --numprocesses=auto --cov --cov-report=
	@$(BIN)/coverage report --fail-under=100 --include='$(COVERED)'

soak: $(VENV)/.test  ## Run the fault tests for many rounds, then an hour of mixed load (70 minutes)
	@$(BIN)/pytest --soak --verbose tests/faults
	@$(BIN)/python -m bench.soak

bench: $(VENV)/.run  ## Measure it beside its peers, into docs/performance.md (ROUNDS=1 SECONDS=1: a quick trial)
	@$(BIN)/python -m bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS))

mutants: $(VENV)/.mutmut  ## Break each line once and see which breaks no test notices (half an hour)
	@$(BIN)/mutmut run --max-children 2; $(BIN)/mutmut results

lock: $(VENV)/.lock  ## Pin the newest versions of everything, with hashes
	$(BIN)/uv pip compile pyproject.toml --all-extras $(LOCK) --output-file requirements.txt
	$(BIN)/uv pip compile tests/requirements.in $(LOCK) --output-file tests/requirements.txt
	$(BIN)/uv pip compile $(PEERS)/requirements.in $(LOCK) --constraints requirements.txt --output-file $(PEERS)/requirements.txt

PEERS := bench/peers/python
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --upgrade \
	--custom-compile-command 'make lock'

clean:  ## Remove what was installed and made, but not instance/
	rm -rf $(VENV) bench/peers/python/.venv bench/peers/node/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*

instance/authsvc.env: | $(VENV)/.run
	@$(BIN)/python -m authsvc init

$(VENV)/.run: requirements.txt
	@$(PYTHON) -m venv $(VENV) || { echo 'Python has no venv here. On Debian: apt-get install python3-venv' >&2; exit 1; }
	@echo 'Installing into $(VENV) (once) ...'
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.test: $(VENV)/.run tests/requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r tests/requirements.txt
	@touch $@

# npm trusts the certificates that the machine trusts. Without npm the tests that need it are left out.
%/node_modules: export NODE_EXTRA_CA_CERTS ?= /etc/ssl/certs/ca-certificates.crt
%/node_modules: %/package-lock.json
	@if command -v npm >/dev/null; then npm ci --loglevel=error --no-audit --no-fund --prefix $* >/dev/null; fi

$(VENV)/.mutmut: $(VENV)/.test
	@$(BIN)/pip install --quiet --disable-pip-version-check mutmut
	@touch $@

$(VENV)/.lock: $(VENV)/.run
	@$(BIN)/pip install --quiet --disable-pip-version-check uv
	@touch $@
