# `make`: set up .venv, simulate what is missing, and draw the figures. `make help` lists the rest.
CORES ?= all
READY := .venv/.ready
BIN := .venv/bin

# Every job starts Python: let it keep its bytecode.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME

.PHONY: build setup test test-fast test-exhaustive docs explore lint format lock bench bench-peers gpu clean clean-results help

# Snakemake is told whose child it is, and goes when this `make` is killed: what holds the locks is what was started.
build: export DEEPLIMITS_MAKE = $(shell echo $$PPID)
build: $(READY)
	@exec $(BIN)/snakemake --cores $(CORES)

setup: $(READY)

$(READY): requirements.lock requirements-cuda12.lock requirements-cuda13.lock pyproject.toml tools/setup.sh tools/cuda_extra.py
	@tools/setup.sh

test: $(READY)
	@$(BIN)/python -m pytest -n auto

test-fast: $(READY)
	@$(BIN)/python -m pytest -n auto -m "not slow and not exhaustive"

test-exhaustive: $(READY)
	@$(BIN)/python -m pytest -n auto -m exhaustive

docs: $(READY)
	@$(BIN)/python tools/pages.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "docs: site/index.html"

explore: $(READY)
	@mkdir -p results
	@$(BIN)/deeplimits explore --out results/explorer.html

lint: $(READY)
	@$(BIN)/python tools/pages.py --check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/snakefmt Snakefile workflow

lock:
	@tools/lock.sh

bench: $(READY)
	@for script in engine floor losses scaling sampled_paths memory small_blocks aggregation planning reading pipeline; do \
		echo "== $$script"; $(BIN)/python benchmarks/$$script.py || exit 1; done

# Pythons that have the peers; benchmarks/README.md says how to make them. What is not named is left out.
PEERS ?=
NEURAL_TANGENTS ?=
CUPY ?=
bench-peers: $(READY)
	@$(if $(PEERS)$(NEURAL_TANGENTS)$(CUPY),,echo "name PEERS, NEURAL_TANGENTS or CUPY: see benchmarks/README.md"; exit 1)
	@$(if $(PEERS),$(BIN)/python benchmarks/explicit_weights.py $(PEERS))
	@$(if $(PEERS),$(BIN)/python benchmarks/sampled_paths.py $(PEERS))
	@$(if $(NEURAL_TANGENTS),$(BIN)/python benchmarks/monte_carlo_kernel.py $(NEURAL_TANGENTS))
	@$(if $(CUPY),$(BIN)/python benchmarks/start_up.py $(CUPY))

gpu: $(READY)
	@$(BIN)/python -m pytest -m "slow or not slow" tests/test_gpu.py
	@$(BIN)/python benchmarks/gpu.py $(PEERS)

clean:
	rm -rf .venv site .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis logs dist
	find src tests benchmarks tools -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

clean-results:
	rm -rf results

help:
	@echo "make                set up .venv, simulate what is missing, draw the figures"
	@echo "make setup          only .venv"
	@echo "make test           the whole test suite"
	@echo "make test-fast      the tests for daily use"
	@echo "make test-exhaustive  every instance of every CUDA kernel, gradients of 10⁶ networks (hours)"
	@echo "make docs           write every page and schema that is made from the package, and the site, into site/"
	@echo "make explore        write results/explorer.html: a page to play with"
	@echo "make lint           generated pages, ruff, mypy, snakefmt, snakemake --lint"
	@echo "make format         apply ruff and snakefmt"
	@echo "make bench          measure speed and memory into benchmarks/results"
	@echo "make bench-peers    measure beside other libraries (benchmarks/README.md)"
	@echo "make gpu            compare bits and measure speed on an NVIDIA card"
	@echo "make lock           resolve the dependencies again (needs uv)"
	@echo "make clean          remove .venv, caches and logs; results stay"
	@echo "make clean-results  remove results: simulations, study stores, figures"
