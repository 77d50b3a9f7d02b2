# authsvc: `make help` lists the targets.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
SBOM := build/sbom
NODE_MODULES := $(patsubst %/package-lock.json,%/node_modules,$(wildcard tests/*/package-lock.json examples/package-lock.json))

# Hundreds of Python processes start in a test run: none of them should compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-tools bench soak mutants lock sbom clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run instance/authsvc.env  ## Serve on http://localhost:8000 (PORT=8001 for another port)
	@printf '%s\n' '' 'authsvc serves http://localhost:$(PORT) (Ctrl-C stops it).' 'Open http://localhost:$(PORT)/demo, or try:' '' \
	  "  curl -i localhost:$(PORT)/auth/register --json '{\"email\": \"alice@example.com\", \"password\": \"correct horse battery staple\"}'" ''
	@if ! env | cat - instance/authsvc.env | grep -Eq '^ *(export +)?AUTHSVC_($(MAIL_SETTINGS))='; then \
	  AUTHSVC_MAIL_URL=$$($(BIN)/python -c 'from pathlib import Path; print(Path("instance/mail").absolute().as_uri())') || exit 1; \
	  export AUTHSVC_MAIL_URL AUTHSVC_MAIL_FROM='authsvc <no-reply@example.com>' AUTHSVC_APP_URL=http://localhost:$(PORT)/demo; \
	  printf '%s\n' 'Its mails are shown at http://localhost:$(PORT)/demo/inbox.' ''; \
	fi; exec env AUTHSVC_DEMO=true AUTHSVC_ACCESS_TOKEN_TTL=$${AUTHSVC_ACCESS_TOKEN_TTL:-60} PORT=$(PORT) $(BIN)/python -m authsvc serve

# If one of these is set, `make run` sets none of them: mail that is set up by halves stops the boot.
MAIL_SETTINGS := MAIL_URL|MAIL_URL_FILE|MAIL_FROM|APP_URL

test: test-tools  ## Run all tests and checks
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(COMPILE_TESTS) & $(BIN)/mypy; checked=$$?; wait; exit $$checked
	@PYTHONUTF8=1 $(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile -p tests.support.line_coverage

test-tools: $(VENV)/.test $(NODE_MODULES)

# In a new clone each process of the tests would compile all of them.
COMPILE_TESTS := [ -d tests/__pycache__ ] || $(BIN)/python -m pytest --collect-only --quiet >/dev/null 2>&1

soak: $(VENV)/.test $(VENV)/.bench  ## Run the fault tests for many rounds, then an hour of mixed load (90 minutes)
	@$(BIN)/pytest --soak --verbose tests/faults tests/bench tests/test_nothing_survives_a_request.py
	@$(BIN)/python -m bench.soak

bench: $(VENV)/.run $(VENV)/.bench  ## Measure the service beside its peers, into docs/performance.md, in 20 minutes (ROUNDS=1 SECONDS=1: a quick trial)
	@$(BIN)/python -m bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS))

mutants: $(VENV)/.mutmut  ## Break the code in 2,000 places, one at a time; list the breaks that no test notices (half an hour)
	@$(BIN)/mutmut run --max-children 2; $(BIN)/mutmut results

lock: $(VENV)/.lock  ## Pin the newest version of each dependency, with hashes
	$(BIN)/uv pip compile pyproject.toml --all-extras $(LOCK) --output-file requirements.txt
	$(BIN)/uv pip compile tests/requirements.in $(LOCK) --output-file tests/requirements.txt
	$(BIN)/uv pip compile bench/requirements.in $(LOCK) --constraints tests/requirements.txt --output-file bench/requirements.txt
	$(BIN)/uv pip compile $(PEERS)/requirements.in $(LOCK) --constraints requirements.txt --output-file $(PEERS)/requirements.txt

PEERS := bench/peers/python
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --upgrade \
	--custom-compile-command 'make lock'

# The root component's name and version come from a pyproject.toml; ours has no [project] section.
sbom: $(SBOM)/.installed  ## List each pinned dependency in dist/sbom.cdx.json (CycloneDX)
	@mkdir -p dist
	@printf '[project]\nname = "authsvc"\nversion = "%s"\n' \
	  "$$($(SBOM)/bin/python -c 'from authsvc import __version__; print(__version__)')" > $(SBOM)/pyproject.toml
	@PYTHONWARNINGS=ignore $(SBOM)/bin/cyclonedx-py requirements --pyproject $(SBOM)/pyproject.toml \
	  --output-reproducible --validate --output-file dist/sbom.cdx.json requirements.txt
	@echo 'Wrote dist/sbom.cdx.json.'

clean:  ## Delete what was installed or built, except instance/
	rm -rf $(VENV) build dist bench/peers/python/.venv bench/peers/node/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*

instance/authsvc.env: | $(VENV)/.run
	@$(BIN)/python -m authsvc init

$(VENV)/.run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'authsvc needs Python 3.11 or later, and $(PYTHON) is not: try make run PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo 'Python has no venv here. On Debian: apt-get install python3-venv' >&2; exit 1; }
	@echo 'Installing into $(VENV) (once) ...'
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.test: $(VENV)/.run tests/requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r tests/requirements.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.run bench/requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r bench/requirements.txt
	@touch $@

# npm trusts the certificates that the machine trusts. Without npm, the tests that need it are skipped.
%/node_modules: export NODE_EXTRA_CA_CERTS ?= /etc/ssl/certs/ca-certificates.crt
%/node_modules: %/package-lock.json
	@if command -v npm >/dev/null; then npm ci --loglevel=error --no-audit --no-fund --prefix $* >/dev/null; fi

$(VENV)/.mutmut: $(VENV)/.test
	@$(BIN)/pip install --quiet --disable-pip-version-check mutmut
	@touch $@

$(VENV)/.lock: $(VENV)/.run
	@$(BIN)/pip install --quiet --disable-pip-version-check uv
	@touch $@

$(SBOM)/.installed:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'authsvc needs Python 3.11 or later, and $(PYTHON) is not: try make run PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -m venv $(SBOM)
	@$(SBOM)/bin/pip install --quiet --disable-pip-version-check cyclonedx-bom
	@touch $@
