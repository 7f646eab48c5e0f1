# Every target works in a fresh clone: the locked virtual environment is made on first use.
# Needs Python 3.11 or newer, make and a package index.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
CODE := provisioner tests benchmarks roles upkeep

# Compiled Python is kept beside the environment, not in the tree, also where PYTHONDONTWRITEBYTECODE is set: without
# it every process of the tests compiles the product anew, and every worker all tests.
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/pycache
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo test slow check lint types floors module options lock bench clean

help:  ## Show this list.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP)  ## Make the locked virtual environment in .venv.

$(STAMP): requirements.lock requirements-kerberos.lock requirements-openstack.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "provisioner needs Python 3.11 or newer; $(PYTHON) is older. Set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@if command -v krb5-config >/dev/null; then \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
			-r requirements-kerberos.lock; \
	else echo "No krb5-config (package libkrb5-dev): the tests of Kerberos will skip."; fi
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-openstack.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## Five simulated Windows nodes: apply, verify, apply again, take down.
	@docs/demo.sh

test: setup  ## All tests but the slow ones: a few minutes.
	@$(BIN)/python -m pytest -n 3 --dist worksteal -q -m "not slow"

slow: setup  ## The slow tests: fuzzing, cut networks, killed processes, packer.
	@$(BIN)/python -m pytest -n 3 --dist worksteal -q -m slow

check: setup lint types floors test  ## What has to be green before a commit; CI runs the slow tests too.

lint:
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)

types:
	@$(BIN)/mypy

floors:
	@$(BIN)/lint-imports

module: setup  ## Write what follows from our DSC module and the roles: catalogue, hashes, tables, pages.
	@$(BIN)/python -m upkeep

options: setup  ## Write the option catalogues of OpenStack's services, from the real packages (minutes).
	@$(BIN)/python -m upkeep.options

bench: setup  ## Measure; see docs/benchmarks.md.
	@$(BIN)/python benchmarks/compile.py
	@$(BIN)/python benchmarks/fleet.py
	@$(BIN)/python benchmarks/lab.py

lock:  ## Renew requirements.lock (needs uv in the virtual environment).
	@$(BIN)/uv pip compile --quiet pyproject.toml --group pyproject.toml:dev --generate-hashes --no-header \
		--no-annotate --no-emit-index-url --universal --python-version 3.11 --upgrade -o requirements.lock
	@$(BIN)/uv pip compile --quiet pyproject.toml --group pyproject.toml:kerberos --generate-hashes --no-header \
		--no-annotate --no-emit-index-url --universal --python-version 3.11 -c requirements.lock \
		-o requirements-kerberos.lock
	@$(BIN)/uv pip compile --quiet pyproject.toml --group pyproject.toml:openstack --generate-hashes --no-header \
		--no-annotate --no-emit-index-url --universal --python-version 3.11 -c requirements.lock \
		-o requirements-openstack.lock

clean:  ## Remove the virtual environment and what runs left behind.
	@rm -rf $(VENV) .provisioner .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
