# Everything on a machine that has Python 3.11 or later and make.
#
#   make claims        run the claims that this machine can carry; compare with the committed results
#   make results       the same, trained anew, in place of the committed results
#   make replay        judge every claim from the committed records, training nothing
#   make evidence      train the queue of long runs, claims/evidence.toml; may be killed and goes on
#   make check         lint, types, and the tests that touch what changed: half a minute
#   make coverage      which lines no test carries out; a report in .cvclaims/coverage
#   make site          docs/ and the API's reference as a site, in .cvclaims/site
#   make test          the whole test suite, and every claim at smoke scale
#   make test-page     the page of results in a real Chromium
#   make test-matrix   the numeric tests under other instruction sets and numbers of threads

# TORCH=2.11.0: with that version of torch, in an environment of its own.
ifdef TORCH
VENV   ?= .venv-torch-$(TORCH)
PINNED := torch==$(TORCH)
endif
VENV   ?= .venv
ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN    := $(VENV)/Scripts
else
PYTHON ?= python3
BIN    := $(VENV)/bin
endif
READY  := $(VENV)/.ready
SMOKE  := .cvclaims/smoke
MINE   := .cvclaims/results

.PHONY: test-page claims results evidence check coverage site test test-matrix replay bench clean

# Into a folder that git ignores: this machine trains for itself, and what is committed stays.
# pytest ends with 10 where all that failed are claims that were refuted, and the comparison with 1
# where a claim is no longer supported here: those are results, and no failures of these commands.
claims: $(READY)
	@$(BIN)/pytest claims -q -n auto --claims-results $(MINE) --claims-store $(MINE)/records || [ $$? -eq 10 ]
	@$(BIN)/cvclaims compare results $(MINE) || [ $$? -eq 1 ]

results: $(READY)
	$(BIN)/pytest claims -n auto --claims-rerun || [ $$? -eq 10 ]

# STEPS=2,3: these steps alone. `cvclaims evidence --status` says what is done, --renew takes it in.
evidence: $(READY)
	$(BIN)/cvclaims evidence $(if $(STEPS),--steps $(STEPS))

# SINCE=main: what changed since that commit, not only since the last one.
check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@touched=$$($(BIN)/python -m tests.touched $(SINCE)); \
	  [ -z "$$touched" ] && echo "no test touches what changed" || $(BIN)/pytest -q -n 2 $$touched

coverage: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pytest-cov
	$(BIN)/pytest tests -q -n auto --cov=cvclaims --cov-report=term:skip-covered \
	  --cov-report=html:.cvclaims/coverage

site: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[site]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest tests -n auto --dist worksteal -q --ignore tests/page
	$(BIN)/pytest claims -n auto -q --claims-scale smoke --claims-results $(SMOKE) --claims-store $(SMOKE)/records

# results/index.html in a real browser: Debian's packages chromium and chromium-driver.
test-page: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[page]'
	$(BIN)/pytest tests/page -q -n 0

# The numeric tests under several instruction sets and numbers of threads; SETTINGS=avx2-1: only that.
test-matrix: $(READY)
	$(BIN)/python tests/matrix.py $(SETTINGS)

# Judge every claim from the committed records, training nothing.
replay: $(READY)
	$(BIN)/pytest claims --claims-replay -q || [ $$? -eq 10 ]

# Everything that this machine can time; renews the table of benchmarks/README.md.
bench: $(READY)
	$(BIN)/pytest benchmarks -q --benchmarks-write

# torch and torchvision are installed in one step: each torchvision fits one torch.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' $(PINNED)
	touch $(READY)

clean:
	rm -rf $(VENV) .venv-torch-* .cvclaims
