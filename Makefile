# make demo | test: set up what they need in .venv by themselves, again in seconds when it is there.
# With a ROS 2 sourced (apt), .venv uses that one; without, a real ROS 2 Jazzy comes from PyPI wheels.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Exactly what requirements/lock-*.txt hold, file by file; docs/security.md. With a ROS 2 sourced, apt's versions lead instead.
LOCKED := $(PIP) --require-hashes --no-deps --no-build-isolation
lock = $(foreach name,$(1),-r requirements/lock-$(name).txt)
SOURCES := setup.py pyproject.toml CMakeLists.txt package.xml requirements/build.txt $(wildcard requirements/lock-*.txt) \
	rppg_ros/__init__.py \
	$(wildcard msg/*.msg srv/*.srv action/*.action scripts/* launch/* config/*)
# Message libraries are found by absolute name; the shell that runs make may have other ideas.
RUN := env -u PYTHONPATH PYTHONNOUSERSITE=1
ifneq ($(ROS_DISTRO),)
ifeq ($(shell $(PYTHON) -c 'import rclpy' 2>/dev/null && echo yes),yes)
SOURCED := yes
VENV_FLAGS := --system-site-packages
RUN := env
endif
endif

.PHONY: help docs demo test test-lowest test-noble lint bench build clean again mutate lock
help:
	@echo "make demo    run the nodes on a made-up person with known pulse and breath (no torch, about 1 minute)"
	@echo "make test    lint and all tests"
	@echo "make test-lowest  demo and tests with the lowest versions that setup.py declares, then with Ubuntu 24.04's"
	@echo "make bench   cost of each stage and latency"
	@echo "make mutate  mutation tests of the core modules (docs/mutation.md); again: goes on where it stopped"
	@echo "make build   colcon build into build/ and install/"
	@echo "make lint    ruff and mypy"
	@echo "make docs    docs/settings.md, from the code"
	@echo "make lock    requirements/lock-*.txt anew: the newest versions that the lists in requirements/ and setup.py allow"
	@echo "make clean   remove everything that was made here"

$(VENV)/created:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 15))' || \
		{ echo "rppg_ros needs Python 3.10 to 3.14; say which: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "Python's venv module is missing: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV_FLAGS) $(VENV)
	@touch $@

# The messages lie in the source tree; who deletes them gets them again.
$(VENV)/installed: $(VENV)/created $(SOURCES) $(if $(wildcard rppg_ros/msg/__init__.py),,again)
	@echo "installing rppg_ros and what it needs into $(VENV) (no torch) ..."
ifdef SOURCED
	@$(PIP) "setuptools>=64,<80" wheel
	@$(RUN) $(PIP) --no-build-isolation --editable .
else
	@$(LOCKED) $(call lock,build)
	@$(LOCKED) $(call lock,wheels)
	@$(RUN) $(PIP) --no-deps --no-build-isolation --editable .
endif
	@touch $@

# A build of torch for the CPU where pip's indexes have one (PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS), else PyPI's, which needs CUDA's
# libraries.
CUDA_TORCH := import sys; from importlib.metadata import requires; sys.exit(not any("cuda" in r for r in requires("torch")))
$(VENV)/test-ready: $(VENV)/installed requirements/test.txt
	@echo "installing what the tests need (torch among it) ..."
ifdef SOURCED
	@$(PIP) -r requirements/test.txt
else
	@$(LOCKED) $(call lock,torch-cpu) 2>/dev/null || $(LOCKED) $(call lock,torch)
	@$(LOCKED) $(call lock,colcon test)
	@if $(BIN)/python -c '$(CUDA_TORCH)'; then $(LOCKED) $(call lock,cuda); fi
endif
	@touch $@

$(VENV)/lock-ready: $(VENV)/installed requirements/lock-tool.txt
	@$(LOCKED) $(call lock,tool)
	@touch $@

# Of torch, uv finds PyPI's builds; its builds for the CPU are named by hand: make lock CPU_TORCH=torch-*.whl
lock: $(VENV)/lock-ready
	@$(RUN) $(BIN)/python scripts/lock.py --uv $(BIN)/uv $(if $(CPU_TORCH),--cpu-torch $(CPU_TORCH))

demo: $(VENV)/installed
	@$(RUN) $(BIN)/rppg-ros demo

# numpy before 2.3 (Python 3.10, apt) has no default for what an ndarray holds, and mypy would ask for it each time.
MYPY_FLAGS = $$($(RUN) $(BIN)/python -c 'import numpy as n; n.lib.NumpyVersion(n.__version__) < "2.3.0" and print("--allow-any-generics")')

# From 2.0 on mypy has workers.
MYPY_WORKERS = $$($(BIN)/mypy --help | grep -q -- --num-workers && echo "-n 2")

lint: $(VENV)/test-ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(RUN) $(BIN)/mypy $(MYPY_WORKERS) $(MYPY_FLAGS)

# One process for each core of a small machine; one takes tests from the other when it has no more (docs/testing.md).
TEST_WORKERS ?= 2
test: lint
	@$(RUN) $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist worksteal

# The oldest versions that are promised, each set in an environment of its own and with the wheels' ROS. Wheels of all of
# them exist for Python 3.10 and 3.11. Without torch, unless TORCH=yes; what a test lacks, it says as it is skipped.
OLD_PYTHON ?= python3.11
TORCH ?=
LEFT_OUT := ruff mypy psutil $(if $(TORCH),,torch lightning tensorboard)
ALONE := env -u PYTHONPATH -u AMENT_PREFIX_PATH -u CMAKE_PREFIX_PATH -u LD_LIBRARY_PATH PYTHONNOUSERSITE=1

.PRECIOUS: .venv-%/created .venv-%/build-ready
.venv-%/created:
	@$(OLD_PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 10), (3, 11)))' || \
		{ echo "the lowest versions need Python 3.10 or 3.11; say where: make OLD_PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(ALONE) $(OLD_PYTHON) -m venv .venv-$*
	@touch $@

.venv-%/build-ready: .venv-%/created requirements/build.txt
	@$(ALONE) .venv-$*/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/build.txt
	@touch $@

.venv-lowest/pins.txt: .venv-lowest/build-ready again
	@$(ALONE) .venv-lowest/bin/python scripts/lowest.py test --but $(LEFT_OUT) > $@.new
	@mv $@.new $@

.venv-noble/pins.txt: .venv-noble/build-ready requirements/noble.txt
	@cp requirements/noble.txt $@

# Not editable, and tested from another folder: `python -m` would find the source tree, which has .venv's messages or
# none. Built with this numpy, as on a robot.
.venv-%/tested: .venv-%/pins.txt again
	@echo "installing into .venv-$* ..."
	@$(ALONE) .venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: -r $<
	@$(ALONE) .venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --force-reinstall .
	@$(ALONE) .venv-$*/bin/rppg-ros demo --rate 0 --output ''
	@echo "left out: test/packaging (about this checkout, whatever the versions: make test runs it)"
	@cd .venv-$* && $(ALONE) bin/pytest -c ../pyproject.toml ../test --ignore ../test/packaging

test-lowest: .venv-lowest/tested test-noble
test-noble: .venv-noble/tested

docs: $(VENV)/installed
	@$(RUN) $(BIN)/python -m rppg_ros.settings.reference > docs/settings.md.new
	@mv docs/settings.md.new docs/settings.md

bench: $(VENV)/test-ready
	@$(RUN) $(BIN)/python benchmarks/stages.py

$(VENV)/mutate-ready: $(VENV)/test-ready requirements/mutate.txt
ifdef SOURCED
	@$(PIP) -r requirements/mutate.txt
else
	@$(LOCKED) $(call lock,mutate)
endif
	@touch $@

# One thread for each of the two processes.
mutate: $(VENV)/mutate-ready
	@$(RUN) OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 nice -n 10 $(BIN)/mutmut run --max-children 2
	@$(RUN) $(BIN)/python benchmarks/mutation_report.py

$(VENV)/colcon-ready: $(VENV)/installed requirements/colcon.txt
	@$(LOCKED) $(call lock,colcon)
	@touch $@

ifdef SOURCED
build:
	colcon build --packages-select rppg_ros
else
build: $(VENV)/colcon-ready
	@scripts/colcon_build.sh $(VENV)
endif

clean:
	rm -rf $(VENV) .venv-lowest .venv-noble build install log mutants rppg_ros/msg rppg_ros/srv rppg_ros/action rppg_ros/*.so *.egg-info
	rm -rf .pytest_cache .ruff_cache .hypothesis .mypy_cache
