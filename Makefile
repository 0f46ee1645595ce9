# Every target sets up what it needs: Python 3.11 to 3.13 and make are enough.
.DEFAULT_GOAL := help
.PHONY: help run test soak check bench study docs notebook pictures lowest clean

VENV ?= .venv
# The first Python on this machine that is neither too old nor too new; choose another with PYTHON=...
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& { command -v $$p; break; }; done)
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install
# Minutes of play in each window that "make bench" measures.
MINUTES ?= 1
# Minutes for the race to 250 points beside Stable-Baselines3 in "make bench"; none: it is left out. It resumes.
SCORE_MINUTES ?=
# Test files that run side by side, each process with a screen of its own. One more than processors: some tests wait.
AT_ONCE = -n $$($(BIN)/python -c 'import os; print(min(4, 1 + (os.cpu_count() or 1)))') --dist loadfile --no-loadscope-reorder

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Replay Coach needs Python 3.11, 3.12 or 3.13 with its venv module (on Debian: apt install python3-venv); choose one with make PYTHON=..." >&2; exit 1; }
	@echo "Making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: setup.cfg pyproject.toml | $(BIN)/python
	@echo "Installing Replay Coach and what it needs into $(VENV): 3 GB, once; two minutes to ten"
	@$(PIP) --editable .
	@touch $@

# In one go, so that a fresh machine resolves and builds once. Not compiled: the tests import a small part of it.
$(VENV)/.installed-for-tests: setup.cfg pyproject.toml | $(BIN)/python
	@echo "Installing Replay Coach, what it needs, and what the tests and checks need into $(VENV): 4 GB, once"
	@$(PIP) --quiet --quiet --no-compile --editable '.[test,dev,docs]'
	@touch $(VENV)/.installed $@

run: $(VENV)/.installed ## open Replay Coach (without a display: the whole loop, headless)
	@$(BIN)/coach

test: $(VENV)/.installed-for-tests ## run the tests (windows on a virtual screen)
	@sh tests/system_packages.sh
	@$(BIN)/python -m pytest $(AT_ONCE)

soak: $(VENV)/.installed-for-tests ## run the long versions of the kill and fuzz tests too
	@sh tests/system_packages.sh
	@$(BIN)/python -m pytest -m soak --timeout 7200

bench: $(VENV)/.installed-for-tests ## measure beside other libraries (MINUTES=10: of play in each window; SCORE_MINUTES=60: minutes to 250 points, too)
	@for part in recording "playing --minutes $(MINUTES)" curating idle_windows coaching agent_parts; do \
		$(BIN)/python -m benchmarks.$$part || exit 1; done
	@test -z "$(SCORE_MINUTES)" || $(BIN)/python -m benchmarks.minutes_to_score --minutes $(SCORE_MINUTES)

study: $(VENV)/.installed-for-tests ## go on with the study of learning (days; stop it with Ctrl-C at any time)
	@$(BIN)/python -m benchmarks.learning

lowest: ## run the tests with the oldest versions of everything that setup.cfg allows
	@$(PYTHON) -m venv .venv-lowest
	@$(PYTHON) tests/lowest_versions.py > .venv-lowest/constraints.txt
	@.venv-lowest/bin/python -m pip --disable-pip-version-check install -qq -c .venv-lowest/constraints.txt -e '.[test,docs]'
	@sh tests/system_packages.sh
	@.venv-lowest/bin/python -m pytest $(AT_ONCE)

docs: $(VENV)/.installed-for-tests ## build the guide into build/guide/index.html; a warning is an error
	@$(BIN)/python -m sphinx -b html -W --keep-going -E -q -d build/doctrees docs build/guide
	@echo "The guide: build/guide/index.html"

notebook: $(VENV)/.installed-for-tests ## run the tutorial notebook and keep what it shows
	@$(BIN)/python docs/make_notebook.py

pictures: $(VENV)/.installed-for-tests ## photograph and film every window, and draw icon and diagrams
	@sh tests/system_packages.sh
	@$(BIN)/python docs/make_icons.py
	@$(BIN)/python docs/make_diagrams.py
	@$(BIN)/python docs/make_pictures.py
	@$(BIN)/python docs/make_film.py

check: $(VENV)/.installed-for-tests ## lint, types and import arrows
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_house.py

results: $(VENV)/.installed ## compute the comparisons of docs/results (hours; Ctrl-C, and the same again goes on)
	@$(BIN)/python docs/make_results.py

clean: ## remove the environment and what tools left (never your library)
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
