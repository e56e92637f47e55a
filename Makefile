# `make` lists the targets.
PYTHON ?= python3
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
BIN = $(VENV)/bin

# Tests start hundreds of commands. Without bytecode files each one compiles builder again, for half a second.
unexport PYTHONDONTWRITEBYTECODE

# Two test processes. A free process takes tests from the list of the other, because some tests take much longer.
PYTEST = -m pytest -q -n 2 --dist worksteal

# The tests that call kernels directly. `make coverage` runs them on kernels as Python.
KERNEL_TESTS = tests/unit/kernels $(addprefix tests/property/test_,html_scan.py lifting.py near_duplicates.py \
	repair.py row_encoding.py)

.PHONY: help demo test test-all check-ray check-browser coverage check lint types layers lowest docs golden golden-corpus torture bench train clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/builder: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable '.[dev]'
	@touch $@

demo: $(BIN)/builder ## Build examples/, publish to a stand-in Hub, load back
	$(BIN)/python examples/demo.py

test: $(BIN)/builder ## Run the short tests (a few minutes)
	$(BIN)/python $(PYTEST) -m "not long and not ray and not browser"

test-all: $(BIN)/builder ## Run all tests, including long ones
	$(BIN)/python $(PYTEST) -m "not ray and not browser"

check-ray: $(BIN)/builder ## Run the tests on a Ray cluster of this machine (installs ray)
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable '.[ray]'
	$(BIN)/python -m pytest -q -m ray tests/ray

check-browser: $(BIN)/builder ## Look at reports in Chromium (installs playwright; needs chromium)
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable '.[browser]'
	$(BIN)/python -m pytest -q -m browser tests/browser

# Two runs, one result. Coverage does not see machine code, so the first run executes the kernel tests on kernels
# as Python, with smaller inputs (tests/kernel_calls.py). The second run executes the other short tests on
# compiled kernels. It also measures the commands that tests start, the zygote and the workers. More cases of
# one test seldom reach other lines, so both runs take few of them. The check of the prose has no code to reach.
COVERED = --cases 3 -m "not long and not unmeasured and not browser"
coverage: $(BIN)/builder ## Measure the lines and branches that tests reach
	rm -f .coverage .coverage.*
	NUMBA_DISABLE_JIT=1 $(BIN)/coverage run $(PYTEST) $(COVERED) $(KERNEL_TESTS)
	$(BIN)/coverage run $(PYTEST) $(COVERED) $(addprefix --ignore=,$(KERNEL_TESTS) tests/test_plain_english.py)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: $(BIN)/builder ## Check the style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(BIN)/builder ## Check the types
	$(BIN)/mypy

layers: $(BIN)/builder ## Check the layers of imports
	$(BIN)/lint-imports

check: lint types layers test ## Run lint, types, layers and test, as CI does

lowest: ## Run the tests with the oldest releases that pyproject.toml allows, in .venv-lowest
	$(MAKE) VENV=.venv-lowest CONSTRAINTS=constraints-lowest.txt lint layers test

docs: $(BIN)/builder ## Generate pages and schemas from the code
	$(BIN)/python docs/generate.py

golden: $(BIN)/builder ## Rewrite the golden files; read the diff before you commit it
	BUILDER_REWRITE_GOLDEN=1 $(BIN)/pytest -q -k golden tests

golden-corpus: $(BIN)/builder ## Write tests/golden/corpus-N (N=1 ...) for a new number of a format
	$(BIN)/python tests/golden/make_corpus.py $(N)

torture: $(BIN)/builder ## Kill, starve and fuzz builder for SECONDS=600; adds up in docs/reliability.json
	cd tests && ../$(BIN)/python -m torture --seconds $(or $(SECONDS),600)

bench: $(BIN)/builder ## Compare with other tools
	$(BIN)/python -m benchmarks

# LABELLED names folders of labelled pages; training/README.md says what is in them.
train: $(BIN)/builder ## Train the models of extract_text and clean_text on the folders LABELLED="A B"
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable '.[train]'
	$(BIN)/python -m training $(LABELLED)
	$(BIN)/python -m training.clean_text $(LABELLED)

clean: ## Remove the files that the targets created
	rm -rf $(VENV) .venv-lowest .demo .coverage .coverage.* examples/out
