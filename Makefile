# Everything a person does here is one of these. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# This project's programs, whether or not its environment was activated.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export DO_NOT_TRACK = 1
# Two, whatever the machine: each may hold a TensorFlow of its own. tests/conftest.py orders the files.
PYTEST := python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=15
# How long each test took, and whether it passed.
TIMES := .pytest_cache/times
export PREFECT_SERVER_ANALYTICS_ENABLED = false

.PHONY: help setup run annotate export-check server agent test test-fast test-nightly bench fuzz check format lock clean

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: ## install the tested set of packages into .venv (GPU=1: with CUDA libraries)
	@scripts/setup.sh $(if $(GPU),gpu,run)

run: setup ## run what changed, from data to report; print the figures
	@python -m tasks check >/dev/null
	@dvc repro
	@python -m tasks cache >/dev/null
	@echo; python -m tasks summary
	@echo; echo "The report: $(CURDIR)/reports/index.html"
	@echo "Next: bring your own data (README.md), or try a value: .venv/bin/dvc exp run -S train.steps=600"

annotate: ## draw boxes on IMAGES=folder in Label Studio, in your browser (CLASSES="cat dog", OUT=annotations.json, MODEL=models/exported, PORT=8080, ONLY=reports/suggest.json, REVIEW=reports/review_label_studio.json)
	@test -n "$(IMAGES)" || { echo 'annotate: say where your images are: make annotate IMAGES=folder CLASSES="cat dog"'; exit 1; }
	@scripts/annotate.sh
	@python -m tasks annotate "$(IMAGES)" $(if $(CLASSES),--classes $(CLASSES)) $(if $(OUT),--out "$(OUT)") \
	  $(if $(MODEL),--model "$(MODEL)") $(if $(PORT),--port $(PORT)) $(if $(ONLY),--only "$(ONLY)") \
	  $(if $(REVIEW),--review "$(REVIEW)")

export-check: ## open the exported models in MediaPipe, LiteRT, ONNX Runtime and another TensorFlow, and compare (MODEL=models/exported, PHOTOS=folder, COUNT=50)
	@scripts/export_check.sh "$(or $(MODEL),models/exported)" "$(PHOTOS)" "$(or $(COUNT),50)"

server: setup ## a Prefect server on loopback with its workers; Ctrl-C ends them (PORT=4200)
	@python -m flows.server $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT)) $(foreach name,$(NAMES),--name $(name))

agent: setup ## one more worker for the gpu pool, which works in this clone (GPU=1, NAME=..., PREFECT_API_URL=...)
	@python -m flows.agent_worker $(if $(NAME),--name "$(NAME)")

test: ## the tests, the slow ones included: a quarter of an hour on 2 cores
	@scripts/setup.sh dev
	@$(PYTEST) --junitxml=$(TIMES)/test.xml -m "not nightly"

test-fast: ## the tests that take seconds: 4 minutes in all
	@scripts/setup.sh dev
	@$(PYTEST) --junitxml=$(TIMES)/test-fast.xml -m "not slow and not nightly"

test-nightly: ## all tests, those of benchmarks and studies included; fails where less code is covered than before
	@scripts/setup.sh dev
	@$(PYTEST) --junitxml=$(TIMES)/test-nightly.xml --cov

bench: ## speed and memory beside the stock tools (PART=conversion|validation|evaluation|scale|predict|train|parity, REPEATS=5, ...: docs/bench.md)
	@scripts/setup.sh dev
	@python -m bench $(PART) $(if $(REPEATS),--repeats $(REPEATS)) $(if $(IMAGES),--images $(IMAGES)) $(if $(ROOM),--room $(ROOM)) \
	  $(if $(DATA),--data $(DATA)) $(if $(STEPS),--steps $(STEPS)) $(if $(FREEZE),--freeze $(FREEZE)) \
	  $(if $(MODEL),--model $(MODEL)) $(if $(PARITY),--parity $(PARITY)) $(if $(SIDE),--side $(SIDE)) $(if $(RATE),--rate $(RATE))

fuzz: ## feed each parser what nobody would write, led by the code it reaches (EACH=60 seconds, TARGETS="voc coco")
	@scripts/setup.sh fuzz
	@python -m tests.fuzz.run --seconds $(or $(EACH),60) $(TARGETS)

check: ## format, lint, types, import contracts; scripts, Dockerfile, compose.yaml, workflow
	@scripts/setup.sh dev
	@ruff format --check .
	@ruff check .
	@mypy
	@lint-imports
	@shellcheck --external-sources scripts/*.sh .ci/run
	@hadolint Dockerfile
	@check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml
	@check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/ci.yml

format: ## let ruff mend what it can
	@scripts/setup.sh dev
	@ruff format .
	@ruff check --fix .

lock: ## compile requirements*.in into pinned files with hashes
	@scripts/setup.sh dev
	@scripts/lock.sh

clean: ## remove what the stages wrote, nothing else (not DVC's cache: `dvc repro` brings results back from it)
	@test ! -x .venv/bin/python || python -m tasks clean
