# Two commands matter: `make demo` and `make test`. Each does all of its own set-up.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
.SILENT:

BIN := .venv/bin
PYTHON := $(BIN)/python
# numpy's own threads only spin beside ONNX Runtime's and the test workers.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export PYTHONWARNINGS ?= ignore
# DVC runs its stages with the python that it finds first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
SAY := printf '\033[1m==> %s\033[0m\n'
# Workers of the test run: as many as there are cores, at least 2.
WORKERS ?= $(shell n=$$(nproc); echo $$(( n > 2 ? n : 2 )))

.PHONY: help setup system demo stop test lint types unit format lock bench load bench-demo bench-flow benchmark families characterizer readme clean

help: ## this list
	grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## the virtual environment (done by every target that needs it)
	.ci/setup

system: ## the programs that tests run and no Python package brings: Chromium, PostgreSQL, promtool
	.ci/system

demo: setup ## from nothing to a champion that serves: API, kiosk page and Gradio demo left running
	$(SAY) "Data, features, training, evaluation, gate: people who do not exist, about 4 minutes at first"
	$(BIN)/dvc repro gate@demo base@cohort
	$(PYTHON) -m visavox.training.summary demo
	$(SAY) "API, kiosk page and demo"
	$(PYTHON) -m demo up

stop: setup ## end what make demo left running; nothing is lost
	$(PYTHON) -m demo stop

test: setup system lint types unit ## everything that CI checks

lint: setup
	$(SAY) "Lint: ruff"
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check . || { echo "Run: make format"; exit 1; }

types: setup
	$(SAY) "Types: mypy --strict"
	$(BIN)/mypy

unit: setup system
	$(SAY) "Tests: pytest on $(WORKERS) workers, with coverage"
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --durations 10 --cov --cov-report=term --cov-fail-under=90

format: setup ## what ruff can mend by itself
	$(BIN)/ruff check --quiet --fix . || true
	$(BIN)/ruff format --quiet .

lock: setup ## resolve requirements.lock anew (hashes, no registry address)
	$$(command -v uv || echo .cache/uv/bin/uv) pip compile pyproject.toml --extra api --extra train --extra demo --extra dev \
	    --generate-hashes --universal --no-annotate --no-header --quiet --output-file requirements.lock

benchmark: setup ## 40 fridges, 800 members, 400 strangers: reports/evaluate.json
	$(BIN)/dvc repro gate@benchmark

bench: setup ## side by side with eager torch, in process and over HTTP: reports/bench.json, load.json
	$(PYTHON) -m tests.bench decision retrain personas
	$(BIN)/dvc repro base@cohort
	$(PYTHON) -m tests.bench service

load: setup ## Locust against a real API, two minutes, with limits and an HTML report
	$(BIN)/dvc repro base@cohort
	$(PYTHON) -m tests.load run

bench-demo: setup ## `make demo` in a fresh clone, cold and warm: reports/bench.json
	$(PYTHON) -m tests.bench demo

bench-flow: setup ## retraining through the whole flow, timed, and killed 50 times: reports/retraining.json
	$(BIN)/dvc repro base@cohort
	$(PYTHON) -m tests.bench retraining

families: setup ## compare the Discriminator families: reports/families.json
	$(PYTHON) -m visavox.training.families

characterizer: setup ## train, export and ship both embedded nets
	$(BIN)/dvc repro data/characterizer/dvc.yaml

readme: setup ## write the README's tables from reports/
	$(PYTHON) -m visavox.training.readme

clean: ## forget caches and runs; data and the environment stay
	rm -rf .cache .mlflow outputs multirun
