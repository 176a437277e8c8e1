# The same few verbs for people and CI. `make` alone lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
TEST_PROCESSES ?= 2
FUNCTIONS := ingest train predict monitor console
FUNCTION_ENVS := $(FUNCTIONS:%=.venv/functions/%)

.PHONY: help setup demo test browser chromium check provider fuzz parity bench soak simulate mutate bundles format lock clean audit chaos crash-points

help: ## List the verbs
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: .venv/.ready ## Make .venv with the `perennial` command, and one environment for each function

.venv/.ready: requirements/dev.txt requirements/bootstrap.txt pyproject.toml $(FUNCTIONS:%=functions/%/requirements.txt)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Perennial needs Python 3.11 or newer; found " + sys.version.split()[0] + ". Name another with make PYTHON=…")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	# Functions run where `perennial` is not installed, with their own requirements and nothing else.
	for function in $(FUNCTIONS); do \
	    $(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv/functions/$$function && \
	    $(BIN)/uv pip sync --quiet --compile-bytecode --python .venv/functions/$$function/bin/python --require-hashes \
	        functions/$$function/requirements.txt || exit 1; \
	done
	touch $@

demo: setup ## The main job on the built-in flower shop, told week by week
	@$(BIN)/perennial demo

test: setup ## Every test
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile

crash-points: setup ## End every workflow at each of its storage calls, and compare what follows with what follows no crash
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.crash_points

browser: setup ## Drive the console and the reports with a real Chromium; PERENNIAL_TEST_PICTURES=folder keeps what it saw
	$(BIN)/pytest tests/browser

chromium: ## Install Debian's Chromium, which the browser tests drive
	@if command -v chromium >/dev/null; then chromium --version; \
	 else apt-get update --quiet=2 && apt-get install --quiet=2 --yes --no-install-recommends chromium fonts-dejavu-core; fi

check: setup .venv/policy/.ready .venv/audit/.ready ## Format, lint, types, import walls, Terraform format and policy
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if command -v terraform >/dev/null; then terraform fmt -check -recursive infra; \
	 else echo "terraform is not installed: its format was not checked"; fi
	.venv/policy/bin/checkov --config-file infra/.checkov.yaml --directory infra

# The policy checker runs apart: its dependencies clash with ours.
.venv/policy/.ready: requirements/policy.txt .venv/.ready
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv/policy
	$(BIN)/uv pip sync --quiet --python .venv/policy/bin/python --require-hashes requirements/policy.txt
	touch $@

.venv/audit/.ready: requirements/audit.txt .venv/.ready
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv/audit
	$(BIN)/uv pip sync --quiet --python .venv/audit/bin/python --require-hashes requirements/audit.txt
	touch $@

audit: setup .venv/audit/.ready ## Ask the OSV database about every pinned requirement; exit code 3 where it cannot be reached
	$(BIN)/python requirements/audit.py

provider: ## Build the google provider from source, once, so that infra/ is tested against it
	$(PYTHON) infra/provider.py

FUZZ_CASES ?= 20000
fuzz: setup ## Judge thousands of spoiled real files, answer as many spoiled requests: make fuzz [FUZZ_CASES=20000]
	$(BIN)/python -m tests.corpus.fuzz --cases $(FUZZ_CASES)
	$(BIN)/python -m tests.corpus.http_fuzz --cases $(FUZZ_CASES)

parity: setup ## Hold graphs to their models on 100,000 rows of each kind, every split and its neighbours among them
	OMP_NUM_THREADS=1 PERENNIAL_TEST_PARITY_ROWS=100000 $(BIN)/pytest -q -s tests/integration/modelling/test_parity_at_scale.py

bench: setup ## Measure against named rivals, in one run
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.storage
	$(BIN)/python -m tests.bench.reading --at-once 2
	$(BIN)/python -m tests.bench.training
	$(BIN)/python -m tests.bench.keys
	$(BIN)/python -m tests.bench.validation
	$(BIN)/python -m tests.bench.history
	$(BIN)/python -m tests.bench.console

SOAK_REQUESTS ?= 1000000
SOAK_MINUTES ?= 30
soak: setup ## Check every answer to a million requests under constant trouble: make soak [SOAK_REQUESTS=…] [SOAK_MINUTES=…]
	$(BIN)/python -m tests.bench.soak --requests $(SOAK_REQUESTS) --minutes $(SOAK_MINUTES)

SEEDS ?= 1000
simulate: setup ## Run seeded deployments in memory under every fault, and check what must hold: make simulate [SEEDS=1000]
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

MUTANTS_AT_ONCE ?= 1
mutate: setup ## Take out every guard, one at a time, and see a test fail: make mutate [MUTANTS_AT_ONCE=1]
	$(BIN)/python -m tests.mutation --at-once $(MUTANTS_AT_ONCE)

CHAOS_MINUTES ?= 15
CHAOS_SEED ?= 0
chaos: setup ## Kill, pause, starve and mislead a local cloud under load, and account for everything: make chaos [CHAOS_MINUTES=…] [CHAOS_SEED=…]
	$(BIN)/python -m tests.chaos --minutes $(CHAOS_MINUTES) --seed $(CHAOS_SEED)
	$(BIN)/python -m tests.chaos storm

bundles: setup ## Build what is deployed: one deterministic folder and zip for each function
	$(BIN)/python infra/bundle.py

# ENV and MODELS count only on the command line: shells may know variables of these names, which mean other things.
DEPLOYMENT_ARGUMENTS = --project '$(PROJECT)' --region '$(REGION)' $(if $(DEPLOYMENT),--deployment '$(DEPLOYMENT)') \
    $(if $(findstring command line,$(origin ENV)),--env '$(ENV)') $(if $(STATE),--state '$(STATE)') \
    $(if $(PLAN),--plan) $(if $(YES),--yes)
MODEL_ARGUMENTS = $(if $(findstring command line,$(origin MODELS)),--models '$(MODELS)')

deploy: setup ## Deploy: make deploy PROJECT=… REGION=… [ENV=dev|prod] [DEPLOYMENT=…] [STATE=gs://…] [MODELS=folder] [PLAN=1] [YES=1]
	@$(BIN)/python infra/deploy.py up $(DEPLOYMENT_ARGUMENTS) $(MODEL_ARGUMENTS)

destroy: setup ## Destroy what was deployed: make destroy PROJECT=… REGION=…
	@$(BIN)/python infra/deploy.py down $(DEPLOYMENT_ARGUMENTS)

format: setup ## Rewrite the sources in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: setup ## Pin dependencies anew, with hashes
	requirements/lock.sh --upgrade

clean: ## Remove everything that was built
	rm -rf .venv build .perennial
