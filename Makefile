# make demo | test: set up what they need in .venv by themselves, again in seconds when it is there.
# With a ROS 2 sourced (apt), .venv uses that one; without, a real ROS 2 Jazzy comes from PyPI wheels.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SOURCES := setup.py pyproject.toml CMakeLists.txt package.xml requirements/build.txt rppg_ros/__init__.py \
	$(wildcard msg/*.msg scripts/* launch/* config/*)
# Message libraries are found by absolute name; the shell that runs make may have other ideas.
RUN := env -u PYTHONPATH PYTHONNOUSERSITE=1
ifneq ($(ROS_DISTRO),)
ifeq ($(shell $(PYTHON) -c 'import rclpy' 2>/dev/null && echo yes),yes)
SOURCED := yes
VENV_FLAGS := --system-site-packages
RUN := env
endif
endif

.PHONY: help demo test lint bench build clean again
help:
	@echo "make demo    run the nodes on a made-up person with known pulse and breath (no torch, about 1 minute)"
	@echo "make test    lint and all tests"
	@echo "make bench   cost of each stage and latency"
	@echo "make build   colcon build into build/ and install/"
	@echo "make lint    ruff and mypy"
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
else
	@$(PIP) -r requirements/build.txt
endif
	@$(RUN) $(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/test-ready: $(VENV)/installed requirements/test.txt
	@echo "installing what the tests need (torch among it) ..."
	@$(PIP) -r requirements/test.txt
	@touch $@

demo: $(VENV)/installed
	@$(RUN) $(BIN)/rppg-ros demo

# numpy before 2.3 (Python 3.10, apt) has no default for what an ndarray holds, and mypy would ask for it each time.
MYPY_FLAGS = $$($(RUN) $(BIN)/python -c 'import numpy as n; n.lib.NumpyVersion(n.__version__) < "2.3.0" and print("--allow-any-generics")')

lint: $(VENV)/test-ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(RUN) $(BIN)/mypy $(MYPY_FLAGS)

test: lint
	@$(RUN) $(BIN)/python -m pytest

bench: $(VENV)/test-ready
	@$(RUN) $(BIN)/python benchmarks/stages.py

$(VENV)/colcon-ready: $(VENV)/installed requirements/colcon.txt
	@$(PIP) -r requirements/colcon.txt
	@touch $@

ifdef SOURCED
build:
	colcon build --packages-select rppg_ros
else
build: $(VENV)/colcon-ready
	@scripts/colcon_build.sh $(VENV)
endif

clean:
	rm -rf $(VENV) build install log rppg_ros/msg rppg_ros/*.so *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
