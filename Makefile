# Two commands on a fresh machine: `make demo` and `make test`. Both need Python 3.11+, make and git, nothing else.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PORT   ?= 8000

.PHONY: demo test check browser-tools clean

# the environment is rebuilt when the list of dependencies changes
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("mapapp needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[swmm,test]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/mapapp demo --port $(PORT)

# Debian's Chromium, PostGIS, GDAL and LibreOffice, where we have the right to install them
browser-tools:
	sh .ci/system-packages

check: $(VENV)/.tested
	$(BIN)/ruff check mapapp tests benchmarks
	$(BIN)/ruff format --check mapapp tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

test: browser-tools $(VENV)/.tested check
	$(BIN)/python -m pytest -n 2 --dist loadfile

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
