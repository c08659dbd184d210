# make run: the whole system on this machine. make test: all tests. make bench: the benchmarks.
# make demo: the same with two invented months in it. make storm: the test of interleavings, at length. make containers: the compose file, started.
# Everything is installed into .venv from requirements.lock; nothing is changed outside but caches.

SHELL := /bin/sh
PYTHON := $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell \
	command -v $(name) >/dev/null 2>&1 && \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/feedback-express
VENV := .venv/bin/python
INSTALL = pip install --python $(VENV) --compile-bytecode --require-hashes -r requirements.lock
# Compiled once and kept: without it every start takes two seconds longer.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup run demo test storm bench containers
.SILENT:

run: setup
	exec $(VENV) -m services --demo

# Plays for a minute or two; then goes on from where it was. ARGS=--again begins anew.
demo: setup
	exec $(VENV) -m services demo $(ARGS)

# Three files at a time on two cores: much of a test is waiting. The long ones come first: those that start the whole system, then the quick ones.
TESTS := $(addprefix tests/,faults integration browser journeys messaging upgrades contracts service unit)

test: setup
	exec $(VENV) -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder $(or $(ARGS),$(TESTS))

# Thousands of stories of interleavings, each different; make test tells fifty.
storm: setup
	STORM_EXAMPLES=$(or $(EXAMPLES),2000) exec $(VENV) -m pytest -q tests/messaging/storm $(ARGS)

# The shape of production in containers: as root, with Debian's packages, some minutes.
containers: setup
	exec $(VENV) -m pytest -q -x tests/containers $(ARGS)

bench: setup
	exec $(VENV) -m tests.benchmarks $(ARGS)

setup: .venv/installed
	$(VENV) -m shared.embedded prepare
	$(VENV) -m shared.web.assets

# The lock is its own stamp: equal content means nothing to do, whatever the times of the files say.
.venv/installed: FORCE
	$(VENV) -c '' 2>/dev/null && cmp -s requirements.lock $@ || { $(MAKE) -s environment && cp requirements.lock $@; }

.PHONY: environment FORCE
FORCE:
environment:
	test -n "$(PYTHON)" || { echo "需要 Python 3.11 或更新的版本。 / Python 3.11 or newer is needed." >&2; exit 1; }
	echo "准备 Python 环境 / preparing the Python environment"
	$(VENV) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv >/dev/null || \
		{ echo "建不了 Python 环境，请先安装 python3-venv。 / No Python environment can be made: install python3-venv first." >&2; exit 1; }
	command -v uv >/dev/null || test -x .venv/bin/uv || cp "$(CACHE)/uv" .venv/bin/uv 2>/dev/null || \
		$(VENV) -m pip install -q --disable-pip-version-check uv 2>/dev/null || true
	uv=$$(command -v uv || echo .venv/bin/uv); \
		$$uv --offline $(INSTALL) 2>/dev/null || $$uv $(INSTALL) || \
		$(VENV) -m pip install --disable-pip-version-check --require-hashes -r requirements.lock || \
		{ echo "Python 的组件取不到，请联网后再试。 / The Python packages cannot be fetched, try again with a network." >&2; exit 1; }
	test ! -x .venv/bin/uv || { mkdir -p "$(CACHE)" && cp .venv/bin/uv "$(CACHE)/uv"; } 2>/dev/null || true
