# Two commands: `make demo` and `make test`. Both need Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup browser demo test slow check docs bench clean
.DELETE_ON_ERROR:

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "benforge needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

setup: $(STAMP)  ## make the environment; the command is then .venv/bin/ben

demo: $(STAMP)  ## the main job on embedded data; ends by naming the report it wrote
	$(BIN)/ben demo --out demo-output

browser:  ## Chromium for the tests of the page, where apt-get may install it; without it they are skipped
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "installing Chromium" && \
	    timeout 600 sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
	      --no-install-recommends chromium fonts-dejavu-core' >/dev/null 2>&1; } || \
	  echo "no Chromium: the tests in a browser are skipped"

test: $(STAMP) browser check  ## the checks and the whole test suite
	$(BIN)/python -m pytest -n 3 --dist worksteal  # a third, as many tests wait for others

slow: $(STAMP)  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

check: $(STAMP)  ## lint, format, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)  ## the documentation site, into site/
	$(BIN)/mkdocs build --strict --quiet

bench: $(STAMP)  ## every figure of benchmarks/RESULTS.md anew, or NAMES="reads cold": needs a quiet machine and an hour
	$(BIN)/python -m benchmarks $(NAMES)

clean:
	rm -rf demo-output site build dist .pytest_cache .mypy_cache .ruff_cache
