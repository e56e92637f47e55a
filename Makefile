# `make` lists what there is.
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

test: $(BIN)/builder ## Run the tests (a few minutes)
	$(BIN)/pytest -m "not long" -q

test-all: $(BIN)/builder ## Run all tests, the long ones too
	$(BIN)/pytest -q

lint: $(BIN)/builder ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(BIN)/builder ## Types
	$(BIN)/mypy

layers: $(BIN)/builder ## Who may import whom
	$(BIN)/lint-imports

check: lint types layers test ## All of it: what CI runs

docs: $(BIN)/builder ## Write the generated pages and schemas anew
	$(BIN)/python docs/generate.py

golden: $(BIN)/builder ## Write the golden files anew; read the diff before you commit it
	BUILDER_REWRITE_GOLDEN=1 $(BIN)/pytest -q -k golden tests

golden-corpus: $(BIN)/builder ## Write tests/golden/corpus-N (N=1 ...), when a format gets a new number
	$(BIN)/python tests/golden/make_corpus.py $(N)

bench: $(BIN)/builder ## Measure against other tools
	$(BIN)/python -m benchmarks

clean: ## Remove what the targets made
	rm -rf $(VENV) .demo examples/out
