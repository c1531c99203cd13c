# The one door. Plain `make` lists what there is.
# Everything is built by cargo; these targets say in which order, and what to do when it fails.

PREFIX ?= /usr/local
PROFILE ?= dev
SHELL := /bin/sh
# Where cargo puts what it builds with the chosen profile.
OUT = $${CARGO_TARGET_DIR:-target}/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
PLUGINS = opsware gateway media oracle

.PHONY: help demo test check bench scenarios meshes soak peers corpus doc install install-files build

help:
	@echo "make demo        upgrades a simulated mesh of three cores, about three minutes after the build"
	@echo "make test        runs the tests"
	@echo "make check       format, lints, the house's own rules, documentation"
	@echo "make scenarios   stages faults of the upgrade in the lab; ONLY=\"S-03 S-61\" stages some"
	@echo "make meshes      upgrades meshes that are drawn at random; MESHES=100 SEED=7"
	@echo "make soak        disturbs runs at random; SIZE=0.1 does a tenth, SEED=7, ONLY=T1"
	@echo "make peers       holds vault files and the precedence of variables against a real ansible-core; SIZE=20 SEED=7"
	@echo "make corpus      renders a thousand templates of public roles with ansible-core and sasrun; SIZE=5000 SEED=7"
	@echo "make bench       measures sasrun beside its peers on this machine"
	@echo "make doc         generates the module reference"
	@echo "make install     installs below PREFIX=$(PREFIX)"

demo:
	@tests/bin/demo

test:
	@tests/bin/test

check:
	@tests/bin/check

scenarios: build
	@out="$(OUT)" tests/bin/scenarios $(ONLY)

meshes: build
	@out="$(OUT)" tests/bin/meshes $(MESHES) $(SEED:%=--seed %) $(ONLY:%=--only %)

bench:
	@tests/bin/bench

soak:
	@tests/bin/soak $(SIZE:%=--size %) $(SEED:%=--seed %) $(ONLY:%=--only %)

peers:
	@tests/bin/peers $(SIZE:%=--size %) $(SEED:%=--seed %)

corpus:
	@SIZE=$(SIZE) SEED=$(SEED) tests/bin/corpus

doc:
	@tests/bin/doc

# One choice of packages everywhere: cargo would build the libraries anew for every other one.
build:
	@cargo build --workspace --lib --bins --profile $(PROFILE)

install: PROFILE := release
install: build
	@$(MAKE) --no-print-directory install-files PROFILE=$(PROFILE)

# What install copies, without building it first.
install-files:
	@mkdir -p "$(PREFIX)/bin" "$(PREFIX)/lib/sasrun/plugins" "$(PREFIX)/share/sasrun"
	@install -m 755 "$(OUT)/sasrun" "$(PREFIX)/bin/sasrun"
	@for plugin in $(PLUGINS); do \
	    install -m 755 "$(OUT)/lib$$plugin.so" "$(PREFIX)/lib/sasrun/plugins/" || exit 1; done
	@rm -rf "$(PREFIX)/share/sasrun/playbooks" "$(PREFIX)/share/sasrun/inventories"
	@cp -R playbooks inventories "$(PREFIX)/share/sasrun/"
	@echo "installed: $(PREFIX)/bin/sasrun, plugins in $(PREFIX)/lib/sasrun/plugins, playbooks in $(PREFIX)/share/sasrun/playbooks"
