# Two commands are the whole set-up: `make serve` and `make test`. Each installs what it needs into
# .venv the first time, and is quick the second.

PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
INSTALL := $(PIP_INSTALL) -c constraints.txt -e
# What a model needs beside: PyTorch on an NVIDIA card, OpenVINO without one. A
# container that was not given the card sees its driver, but neither of these.
HAS_CARD := nvidia-smi -L >/dev/null 2>&1 || ls /dev/nvidia[0-9]* >/dev/null 2>&1
EXTRA ?= $(if $(MODEL),$(shell if $(HAS_CARD); then echo torch; else echo cpu; fi))

# Both take minutes, and neither fills the processors all the time: tests wait for servers. Each of
# pytest's processes spends fifteen seconds on reading all tests, so that a fourth costs more than it
# gives two cores.
define run_beside_types
@$(BIN)/mypy & types=$$!; \
$(BIN)/pytest -n 3 --dist worksteal --durations=25 $(1); tests=$$?; \
wait $$types && exit $$tests
endef

.PHONY: help serve test check format bench stranger wheel clients phones clean

help:
	@echo "make serve   install and run the service on http://127.0.0.1:5100"
	@echo "make serve MODEL=YatharthS/MiraTTS   the same with a model: a Hugging Face id or a"
	@echo "             directory; EXTRA=cpu, torch or cuda overrides what this machine seems to have"
	@echo "make test    install and run everything that is checked"
	@echo "make check   the fast half: format, lint, types, quick tests"
	@echo "make format  rewrite the code in the house format"
	@echo "make bench   print the tables of ttfa, listeners, load, say and memory"

serve: .venv/serve$(addprefix -,$(EXTRA))
	$(BIN)/mira serve $(if $(MODEL),--model '$(MODEL)')

test: .venv/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(call run_beside_types,)

check: .venv/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(call run_beside_types,-m "not slow")

format: .venv/test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/test
	for name in ttfa listeners say memory; do $(BIN)/python -m tools.bench $$name || exit; done
	$(BIN)/mira bench load

# Need nothing that is installed here; `.ci/run` runs them too.
stranger:
	$(PYTHON) tools/stranger.py

wheel:
	$(PYTHON) tools/wheel.py

clients: .venv/test
	$(PYTHON) tools/clients.py
	$(BIN)/pytest -n 2 --dist loadfile tests/clients

# Where Debian's packages can't be had it says so, and the tests are skipped.
phones: .venv/test
	$(PYTHON) tools/phones.py
	$(BIN)/pytest tests/calls

clean:
	rm -rf .venv .venv-clients .phones build *.egg-info

$(BIN)/pip:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" \
		|| { echo "Mira needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/serve: $(BIN)/pip pyproject.toml constraints.txt
	$(INSTALL) .
	@touch $@

# The core comes with it: `make serve` without a model has nothing to install after this.
.venv/serve-%: $(BIN)/pip pyproject.toml constraints.txt constraints-cuda.txt
	$(PIP_INSTALL) -c $(if $(filter cuda,$*),constraints-cuda.txt,constraints.txt) -e '.[$*]'
	@touch .venv/serve $@

.venv/test: $(BIN)/pip pyproject.toml constraints.txt
	$(INSTALL) '.[dev]'
	@touch $@
