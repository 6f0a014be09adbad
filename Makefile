# Every target sets up what it needs in .venv; `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# As the commands have it: TensorFlow's notices about the processor say nothing to a user.
export TF_CPP_MIN_LOG_LEVEL ?= 3

# Tests mostly trace graphs, which keeps one core busy. Files stay together: they share models.
IN_TWO_PROCESSES := -n 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help quickstart notebooks test test-all lint docs bench clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

quickstart: $(VENV)/.installed-quickstart ## Pre-train a small model on film reviews, start to finish
	@$(BIN)/python examples/quickstart/quickstart.py

notebooks: $(VENV)/.installed-dev ## Run the notebooks of examples/ and store their outputs
	@$(BIN)/python examples/notebooks/execute_notebooks.py

test: $(VENV)/.installed-dev ## Run the quick tests
	@$(BIN)/python -m pytest -q -m "not slow" $(IN_TWO_PROCESSES) $(PYTEST_ARGS)

test-all: $(VENV)/.installed-dev $(VENV)/.installed-bench $(VENV)/.installed-onnx $(VENV)/.installed-docs ## Run all tests, also beside PyTorch (gigabytes) and ONNX
	@$(BIN)/python -m pytest -q $(IN_TWO_PROCESSES) $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev ## Check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

docs: $(VENV)/.installed-docs ## Build the documentation with the API reference in build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

bench: $(VENV)/.installed-dev ## Run the benchmarks that need no data and no PyTorch (docs/benchmarks.md has all)
	@set -e; for name in attention input_pipeline pretraining_step question_features; do \
	  echo "== $$name"; $(BIN)/python benchmarks/$$name.py; done

clean: ## Remove the environment and caches; keeps data and models
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis

# One stamp per extra: installed once, and again when a requirement changes.
$(VENV)/.installed-%: setup.py constraints.txt | $(VENV)/.created
	@echo "Installing electra_tf[$*] into $(VENV) (a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$*]"
	@touch $@

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "error: Python >= 3.10 is needed, but '$(PYTHON)' is missing or older:" \
	    "name another one, as in 'make $(MAKECMDGOALS) PYTHON=python3.11'." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "error: '$(PYTHON) -m venv' failed; on Debian and Ubuntu it needs the package" \
	    "python3-venv." >&2; exit 1; }
	@touch $@
