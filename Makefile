# The commands that people and CI share. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
MAKEFLAGS += --no-print-directory
ifdef ENCODER
export RAG_ENCODER := $(ENCODER)
endif

.DEFAULT_GOAL := help
.PHONY: help run setup test eval bench check .setup-dev .python

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## set up what is missing, then start the chat and print its address; ENCODER=name chooses the encoder
	@$(BIN)/python app.py

setup: .python ## set up: environment, packages, llama.cpp, model files, the index over seeds/
	@$(PYTHON) scripts/setup.py

test: .setup-dev ## set up what is missing, then run every test
	@$(BIN)/python -m pytest

eval: .setup-dev ## measure retrieval and answers beside the usual stack (half an hour); XQUAD=folder adds that pool (an hour)
	@$(BIN)/python -m evaluation $(if $(XQUAD),--xquad "$(XQUAD)")
	@$(BIN)/python -m evaluation.answers --naive
	@$(if $(XQUAD),$(BIN)/python -m evaluation.pool_answers "$(XQUAD)")

bench: .setup-dev ## measure speed beside plain use of the same libraries, then what an index costs as it grows
	@$(BIN)/python -m stress.bench
	@$(BIN)/python -m stress.growth

check: .setup-dev ## lint, formatting, types, and the rules of imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.setup-dev: .python
	@$(PYTHON) scripts/setup.py --dev

.python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing. Install it with: sudo apt install python3 python3-venv" >&2; exit 1; }
