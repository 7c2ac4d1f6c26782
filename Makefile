# make app    install what is needed into .venv, start the server, print its address
# make test   lint, then every test, the browser's included
# make lint   ruff and mypy alone
# make bench  measurements (never part of the tests)

PYTHON ?= python3
PORT ?= 8501
BIN = .venv/bin

.PHONY: app test lint browser bench clean

app: .venv/app-ready
	$(BIN)/streamlit run app.py --server.port $(PORT)

# A browser test may be run once more: it counts on a real clock on a busy machine. The summary names those (RERUN).
# What comes first is done at once: one computes, the other waits for its downloads.
test: .venv/test-ready
	$(MAKE) --no-print-directory -j 2 lint browser
	$(BIN)/python -m pytest tests --ignore=tests/browser -n 2 --dist worksteal --durations 10
	$(BIN)/python -m pytest tests/browser -n 2 --dist worksteal --reruns 1 --durations 10

lint: .venv/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

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

.venv/test-ready: requirements-test.txt .venv/app-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@

clean:
	rm -rf .venv
