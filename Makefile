# The two commands of a newcomer: make demo, make test. Needs Python >= 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := src tests scripts benchmarks

.PHONY: demo test coverage test-services soak faults check bench accuracy docs site picture format clean

demo: .venv/demo-is-installed  ## start the embedded target and verify it; FAULT=hang breaks one thing, ARGS="..." are verify's own options
	@$(BIN)/probekit demo $(if $(FAULT),--fault $(FAULT)) $(ARGS)

test: .venv/dev-is-installed  ## the suite, with real servers, on the package as it is installed from its wheel
	@rm -rf build
	@$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build .
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-index --target build/wheel build/*.whl
	PYTHONPATH="$(CURDIR)/build/wheel" $(BIN)/pytest -m "not faults and not services and not soak" --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-services: .venv/dev-is-installed  ## kinds command and host with real programs: monitoring-plugins-basic and prometheus-node-exporter (Debian)
	$(BIN)/pytest -m services

soak: .venv/dev-is-installed  ## signals and kills at random moments, a hundred times each
	$(BIN)/pytest -m soak

RULES := judging planning model config checklist reports toml_file
FLOWS := tests/scenarios/test_plan_is_true.py tests/cli/test_plan.py tests/cli/test_explain.py tests/cli/init/test_init.py  # what decides, by its commands
coverage: .venv/dev-is-installed  ## branch coverage of what decides and of what reads files, with a floor
	$(BIN)/pytest --quiet $(RULES:%=tests/%) $(FLOWS) $(RULES:%=--cov=probekit.%) --cov-branch --cov-report=term:skip-covered --cov-fail-under=95

faults: .venv/dev-is-installed  ## every row of every fault table, live
	$(BIN)/pytest -m faults

check: .venv/dev-is-installed  ## format, lint, types, import rules, generated documents, Dockerfile, tests
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini tests
	$(BIN)/lint-imports
	$(BIN)/python scripts/generated_docs.py --check
	$(BIN)/hadolint Dockerfile
	$(MAKE) coverage
	$(MAKE) test

bench: .venv/dev-is-installed  ## what it costs, side by side: checks, runs, starting, throttle, reports, what is on record (a quiet machine, please)
	@for name in http_checks runs startup throttle reports history; do $(BIN)/python benchmarks/$$name.py; done

accuracy: .venv/accuracy-is-installed  ## does it say what is so? percentiles beside the truth, and how often a verdict is wrong (an hour and a half)
	$(BIN)/python benchmarks/latency_truth.py
	$(BIN)/python benchmarks/operating_characteristics.py

docs: .venv/dev-is-installed  ## write the documents that restate code
	$(BIN)/python scripts/generated_docs.py

site: .venv/docs-is-installed  ## the documentation as a static site in build/site; a broken link is an error, and so is a page that loads from another host
	@rm -rf build/site
	$(BIN)/zensical build --strict --clean
	@! grep --recursive --include='*.html' --extended-regexp '<(script|link|img|iframe)[^>]* (src|href)="?(https?:)?//' build/site

picture: .venv/demo-is-installed  ## the terminal pictures in docs/images: the demo runs, and what it shows becomes SVG
	$(BIN)/python scripts/picture.py

format: .venv/dev-is-installed  ## write the format and the fixes that are safe
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

clean:  ## what the commands above made
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .cache build dist

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "probekit needs Python 3.11 or newer: make PYTHON=python3.12 ... (this is %s)" % sys.version.split()[0])'
	$(PYTHON) -m venv .venv

.venv/demo-is-installed: pyproject.toml .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[demo]'
	@touch $@

.venv/dev-is-installed: pyproject.toml .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ .venv/demo-is-installed

.venv/docs-is-installed: pyproject.toml .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

.venv/accuracy-is-installed: pyproject.toml .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[accuracy]'
	@touch $@ .venv/dev-is-installed .venv/demo-is-installed
