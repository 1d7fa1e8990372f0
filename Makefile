# Every target sets up what it needs in this checkout from nothing but python3 and make.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-faults check format serve bench lock clean

PYTHON ?= python3
BIN    := .venv/bin
READY  := .venv/.ready
# A file stays in one process, which starts a Neo4j of its own; one that was given cannot be shared.
PARALLEL := $(if $(NEO4J_URI),,-n auto --maxprocesses 4 --dist loadfile)
# What the explorer is built from: the editable install builds it again where one of these is newer.
EXPLORER := $(shell find graphql/explorer graphql/operations graphql/schema.graphql hatch_build.py -name node_modules -prune -o -name gql -prune -o -type f -print)

help:            ## list the targets
	@sed -n 's/^\([a-z-]*\): .*## /\1\t/p' Makefile | expand -t 13

setup: $(READY)  ## a virtual environment with the locked packages

$(READY): requirements.lock pyproject.toml $(EXPLORER)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Lineward needs Python 3.11 or newer; set PYTHON=/path/to/python3."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps 'uv==0.13.9'
	@VIRTUAL_ENV=.venv $(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --editable .
	@touch $(READY)

demo: $(READY)   ## train, serve and trace a small real model
	$(BIN)/lineward demo

test: $(READY)   ## every test, with a real Neo4j and browser
	-@$(BIN)/python tests/neo4j_server.py
	$(BIN)/python -m pytest $(PARALLEL)

test-faults: $(READY)  ## the long tier of tests/faults: six minutes
	-@$(BIN)/python tests/neo4j_server.py
	$(BIN)/python -m pytest tests/faults -m long --timeout 1200 $(PARALLEL)
	$(BIN)/python -m tests.faults

check: $(READY)  ## lint, types, architecture, snapshots, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q tests/test_project.py

format: $(READY) ## apply lint fixes and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

serve: $(READY)  ## run the server on ./data
	$(BIN)/lineward serve --data data

bench: $(READY)  ## measure, as ratios to this machine's floors
	$(BIN)/python -m benchmarks

lock:            ## resolve requirements.lock again
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --all-extras --group dev pyproject.toml --output-file requirements.lock

clean:           ## remove what these targets made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist \
	  graphql/catalog_graphql/static graphql/explorer/node_modules graphql/explorer/src/gql graphql/explorer/public/gql
