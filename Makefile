# `make demo` and `make test` are all a fresh machine needs; each makes the environment first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test
demo: $(VENV)/.ready
	$(BIN)/dmef-bench demo

test: $(VENV)/.ready
	# Threads that wait for each other by spinning take the cores from the tests beside them.
	OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0 $(BIN)/pytest -n auto --dist loadgroup

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "dmef-bench needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.11"; exit 3; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
