# `make train` and `make test` do everything on a fresh machine. `TORCH=keep` uses the torch that Python has already.
PYTHON ?= python3
VENV ?= .venv
TORCH ?= pinned
BIN = $(VENV)/bin
ARGS ?=

# Scores are held against packages that are bound to the pinned torch.
DEV = dev,parity
ifeq ($(TORCH),keep)
DEV = dev
# The environment that is active, or else one that sees the packages of $(PYTHON).
ACTIVE := $(shell $(PYTHON) -c "import sys; print(sys.prefix if sys.prefix != sys.base_prefix else '')")
ifneq ($(ACTIVE),)
VENV := $(ACTIVE)
endif
SITE = --system-site-packages
PIN =
FIRST = $(BIN)/python -c "import torch" || (echo "TORCH=keep needs a torch that $(PYTHON) can import; install one first." >&2; exit 2)
else
SITE =
PIN = -c constraints.txt
FIRST = true
endif

.PHONY: train test check docs bench clean

train: $(VENV)/.installed
	$(BIN)/ganzo train $(ARGS)

test: $(VENV)/.installed-dev check
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/codespell src tests benchmarks docs recipes README.md CONTRIBUTING.md CHANGELOG.md

docs: $(VENV)/.installed-docs
	$(BIN)/python docs/build.py

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache docs/_build docs/components

$(VENV)/bin/python:
	$(PYTHON) -m venv $(SITE) $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(FIRST)
	$(BIN)/python -m pip install --quiet $(PIN) -e .
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(FIRST)
	$(BIN)/python -m pip install --quiet $(PIN) -e ".[$(DEV)]"
	touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(FIRST)
	$(BIN)/python -m pip install --quiet $(PIN) -e ".[$(DEV),docs]"
	touch $@ $(VENV)/.installed $(VENV)/.installed-dev
