# affinity-zoo: `make demo` and `make test` need only Python with venv, make and a package index.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# the notes that TensorFlow writes at its start would hide what a command says
export TF_CPP_MIN_LOG_LEVEL = 2

# the other backends of Keras, by the modules that know them, and the packages that `make test-backends` installs for them
BACKENDS ?= $(filter-out __init__ base tensorflow,$(basename $(notdir $(wildcard zoo/runtime/backends/*.py))))
BACKEND_PACKAGES ?= $(BACKENDS)

.PHONY: help demo test test-all test-backends coverage check types docs format install clean

help:
	@echo "make demo      set up $(VENV), install, and run the demonstration"
	@echo "make test      set up $(VENV), install, and run the tests (test-all: the long ones too)"
	@echo "make test-backends  train, predict and compare under JAX and PyTorch, without TensorFlow"
	@echo "make check     lint (ruff) and types (mypy; alone: make types)"
	@echo "make docs      build the documentation site (build/site/index.html)"
	@echo "make format    format the code (ruff)"

$(VENV)/.runtime: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[see]'
	touch $@

$(VENV)/.development: $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --editable '.[test,dev]'
	touch $@

install: $(VENV)/.runtime

demo: $(VENV)/.runtime
	$(BIN)/affinity-zoo demo

test: $(VENV)/.development
	$(BIN)/python -m pytest -n 2 --dist loadscope -m "not slow and not network"

test-all: $(VENV)/.development
	$(BIN)/python -m pytest -n 2 --dist loadscope

# an environment without TensorFlow; a CPU build of PyTorch comes from its own index (PIP_EXTRA_INDEX_URL)
$(VENV)-backends/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)-backends
	$(VENV)-backends/bin/python -m pip install --quiet --upgrade pip
	$(VENV)-backends/bin/python -c "import tomllib; print(*(r for r in tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'] if not r.startswith('tensorflow')), sep='\n')" > $(VENV)-backends/requirements.txt
	$(VENV)-backends/bin/python -m pip install --quiet -r $(VENV)-backends/requirements.txt $(BACKEND_PACKAGES) pytest pytest-xdist hypothesis
	$(VENV)-backends/bin/python -m pip install --quiet --no-deps --editable .
	touch $@

test-backends: $(VENV)-backends/.ready
	$(VENV)-backends/bin/python -m pytest -n 2 --dist worksteal tests/backends tests/featurizers/test_layers.py tests/zoo/see/test_attribution.py -k "backends or layers_equal"
	for backend in $(BACKENDS); do KERAS_BACKEND=$$backend $(VENV)-backends/bin/python -m pytest tests/zoo/training/test_losses.py tests/backends/test_torch_layers.py || exit 1; done

# A third slower than `make test`, therefore a separate target. COVERAGE_FLOOR=N makes it fail below N %. The floor is no
# setting of pytest-cov, because that would also fail every run of a few tests with `--cov`.
COVERAGE_FLOOR ?= 0
coverage: $(VENV)/.development
	$(BIN)/python -m pytest -n 2 --dist loadscope -m "not slow and not network" --cov=affinity_zoo --cov-report=term:skip-covered --cov-fail-under=$(COVERAGE_FLOOR)

check: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MAKE) types

types: $(VENV)/.development $(VENV)/typed
	cd $(VENV) && MYPYPATH=typed bin/mypy --config-file ../pyproject.toml -p affinity_zoo

# the package as it is installed, for what reads sources; a stale build/ would put deleted modules into it
.PHONY: $(VENV)/typed
$(VENV)/typed: $(VENV)/.runtime
	rm -rf build $(VENV)/typed
	$(BIN)/python -m pip install --quiet --no-deps --target $(VENV)/typed .
	rm -rf build

# the documentation as a site in build/site; a broken link is an error
docs: $(VENV)/.runtime $(VENV)/typed
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --clean

format: $(VENV)/.development
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) $(VENV)-backends build dist .cache *.egg-info
