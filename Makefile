# `make` lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: help demo test test-all check lint types layers docs golden golden-corpus bench clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/builder: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(BIN)/builder ## Build examples/, publish to a stand-in Hub, load back
	$(BIN)/python examples/demo.py

test: $(BIN)/builder ## Run the short tests (a few minutes)
	$(BIN)/pytest -m "not long" -q

test-all: $(BIN)/builder ## Run all tests, including long ones
	$(BIN)/pytest -q

lint: $(BIN)/builder ## Check the style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(BIN)/builder ## Check the types
	$(BIN)/mypy

layers: $(BIN)/builder ## Check the layers of imports
	$(BIN)/lint-imports

check: lint types layers test ## Run lint, types, layers and test, as CI does

docs: $(BIN)/builder ## Generate pages and schemas from the code
	$(BIN)/python docs/generate.py

golden: $(BIN)/builder ## Rewrite the golden files; read the diff before you commit it
	BUILDER_REWRITE_GOLDEN=1 $(BIN)/pytest -q -k golden tests

golden-corpus: $(BIN)/builder ## Write tests/golden/corpus-N (N=1 ...) for a new number of a format
	$(BIN)/python tests/golden/make_corpus.py $(N)

bench: $(BIN)/builder ## Compare with other tools
	$(BIN)/python -m benchmarks

clean: ## Remove the files that the targets created
	rm -rf $(VENV) .demo examples/out
