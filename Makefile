# The two commands to start with: make demo, make test. Needs Python >= 3.11 and make.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
SOURCES := src tests scripts benchmarks

.PHONY: help demo demo-release test test-unit coverage test-services test-oldest soak faults check lock audit bench accuracy docs site picture format clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

PAGE := build/demo.html
demo: .venv/demo-is-installed  ## verify the embedded target; FAULT=hang breaks it, ARGS="..."
	@mkdir -p build; rm -f $(PAGE)
	@$(BIN)/probekit demo --report html=$(PAGE) $(if $(FAULT),--fault $(FAULT)) $(ARGS); code=$$?; \
	test ! -s $(PAGE) || echo "HTML report: $(CURDIR)/$(PAGE)"; exit $$code

demo-release: .venv/demo-is-installed  ## play a release on the embedded target; ROW=no-gate breaks it
	@$(BIN)/python scripts/demo_release.py $(if $(ROW),--row $(ROW))

# Modules are compiled once, also where PYTHONDONTWRITEBYTECODE is set: 20 s of CPU to rewrite the tests' assertions.
# One process more than there are cores: a quarter of the suite waits for servers.
PROCESSES ?= 3
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder
SUITE := PYTHONPATH="$(CURDIR)/build/wheel" $(PYTEST) -m "not faults and not services and not soak" --durations=20 --durations-min=1
define wheel
	@rm -rf build/wheel build/*.whl
	@$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build .
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-index --target build/wheel build/*.whl
endef

test: .venv/dev-is-installed  ## the whole suite, on the package as installed from its wheel
	$(wheel)
	$(SUITE)

UNIT := checklist config engine history judging model planning probes/_support redaction reports toml_file
test-unit: .venv/dev-is-installed  ## the quick tests: no server, no process, 20 s
	$(PYTEST) --numprocesses 2 -m "not servers and not heavy and not soak" --quiet $(UNIT:%=tests/%)

test-services: .venv/services-is-installed  ## kinds and reports with real programs of Debian and npm
	$(BIN)/python scripts/services.py

# what depends on libraries; judging and model import none
OLDEST := checklist cli/test_usage.py cli/test_explain.py cli/test_cli.py config engine history probes redaction reports toml_file transport workflows
test-oldest: .venv-oldest/is-installed  ## unit tests with the oldest dependencies that are allowed
	.venv-oldest/bin/pytest --quiet -m "not faults and not services and not soak" --numprocesses 2 --dist loadfile $(OLDEST:%=tests/%)

soak: .venv/dev-is-installed  ## signals and kills at random moments, a hundred times each
	$(BIN)/pytest -m soak

RULES := judging planning model config checklist reports toml_file
comma := ,
space := $() $()
coverage: .venv/dev-is-installed  ## the whole suite, with floors of branch coverage
	$(wheel)
	$(SUITE) --cov=probekit --cov-branch --cov-report=
	$(BIN)/coverage report --skip-covered --fail-under=96
	$(BIN)/coverage report --format=total --fail-under=98 --include='$(subst $(space),$(comma),$(RULES:%=*/probekit/%/*))'

faults: .venv/dev-is-installed  ## every fault of the embedded target, with its verdicts
	$(BIN)/pytest -m faults

check: .venv/dev-is-installed  ## what a change must pass: format, lint, types, docs, tests
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini tests
	$(BIN)/lint-imports
	$(BIN)/python scripts/generated_docs.py --check
	$(BIN)/hadolint Dockerfile
	$(MAKE) coverage

lock: .venv-tools/is-installed  ## write requirements/runtime.txt: versions and hashes
	.venv-tools/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' --output-file requirements/runtime.txt pyproject.toml

audit: .venv-tools/is-installed .venv-runtime/is-installed  ## licences and known vulnerabilities of what is installed
	.venv-tools/bin/pip-licenses --python .venv-runtime/bin/python --from=mixed
	.venv-tools/bin/python scripts/audit.py requirements/runtime.txt

bench: .venv/dev-is-installed  ## benchmarks of cost; they need a quiet machine
	@for name in http_checks runs startup throttle reports history; do $(BIN)/python benchmarks/$$name.py; done

accuracy: .venv/accuracy-is-installed  ## accuracy of percentiles and verdicts; takes 90 minutes
	$(BIN)/python benchmarks/latency_truth.py
	$(BIN)/python benchmarks/operating_characteristics.py

docs: .venv/dev-is-installed  ## write the documents that are generated from the code
	$(BIN)/python scripts/generated_docs.py

site: .venv/docs-is-installed  ## the documentation as a static site, in build/site
	@rm -rf build/site
	$(BIN)/zensical build --strict --clean
	@test -s build/site/index.html
	@grep --recursive --include='*.html' --extended-regexp '<(script|link|img|iframe)[^>]* (src|href)="?(https?:)?//' build/site; test $$? -eq 1

picture: .venv/demo-is-installed  ## the pictures in docs/images: terminals, and a page
	$(BIN)/python scripts/picture.py
	$(BIN)/python scripts/page_picture.py

format: .venv/dev-is-installed  ## format the code and apply safe fixes
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

clean:  ## remove what these targets made
	rm -rf .venv .venv-oldest .venv-runtime .venv-tools .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .cache build dist

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "probekit needs Python 3.11 or newer: make PYTHON=python3.12 ... (this is %s)" % sys.version.split()[0])'
	$(PYTHON) -m venv .venv

.venv/demo-is-installed: pyproject.toml .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[demo]'
	@touch $@

.venv/dev-is-installed: pyproject.toml .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ .venv/demo-is-installed

.venv/services-is-installed: pyproject.toml .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[services]'
	@touch $@ .venv/dev-is-installed .venv/demo-is-installed

.venv/docs-is-installed: pyproject.toml .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

.venv/accuracy-is-installed: pyproject.toml .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[accuracy]'
	@touch $@ .venv/dev-is-installed .venv/demo-is-installed

.venv-oldest/is-installed: pyproject.toml requirements/oldest.txt
	$(PYTHON) -m venv --clear .venv-oldest
	.venv-oldest/bin/pip install --quiet --disable-pip-version-check --constraint requirements/oldest.txt --editable '.[dev]'
	@touch $@

.venv-runtime/is-installed: requirements/runtime.txt
	$(PYTHON) -m venv --clear .venv-runtime
	.venv-runtime/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement requirements/runtime.txt
	@touch $@

.venv-tools/is-installed: Makefile
	$(PYTHON) -m venv .venv-tools
	.venv-tools/bin/pip install --quiet --disable-pip-version-check 'pip-audit>=2.9' 'pip-licenses>=5' 'uv>=0.9'
	@touch $@
