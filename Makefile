# SPDX-License-Identifier: GPL-2.0
#
# `make help` tells what there is. The module itself is described in
# kmqtt/Kbuild; here is what is done with it.

SHELL := /bin/bash
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BUILD := $(CURDIR)/build
VM := tests/vm/vm
PORT ?= 1883
JOBS ?= $(shell nproc)

# The stock kernel: the newest installed 6.12 of the distribution.
RELEASE = $(or $(shell tests/vm/release),$(shell uname -r))
KDIR ?= /lib/modules/$(RELEASE)/build

# A tree of its own for each kernel and compiler: 6.12 builds in place.
# $(call build_module,TREE,KDIR,ARGUMENTS)
define build_module
	@mkdir -p $(BUILD)/$(1)
	@rsync -a --delete --exclude '*.o' --exclude '.*.cmd' --exclude '*.ko' \
		--exclude '*.mod' --exclude '*.mod.c' --exclude modules.order \
		--exclude Module.symvers kmqtt include $(BUILD)/$(1)/
	@$(MAKE) -s -j$(JOBS) -C $(2) M=$(BUILD)/$(1)/kmqtt $(3) modules
endef

.PHONY: all module tools debug-module clang-module
all: module tools

module:
	@echo "  MODULE  build/stock/kmqtt/kmqtt.ko"
	$(call build_module,stock,$(KDIR),W=1)

tools:
	@$(MAKE) -C tools/kmqttctl
	@$(MAKE) -C tools/kmqttd
	@$(MAKE) -C tools/bench

debug-module:
	@echo "  MODULE  build/debug/kmqtt/kmqtt.ko"
	@kernel=$$(tests/vm/debug-kernel build) && \
		$(MAKE) debug-module-in KERNEL=$$kernel

.PHONY: debug-module-in
debug-module-in:
	$(call build_module,debug,$(KERNEL),CONFIG_KMQTT_KUNIT_TEST=y W=1)

.PHONY: deps
deps:
	@tests/vm/deps

# --- run it -----------------------------------------------------------------

.PHONY: run shell
run: deps
	@$(MAKE) all
	@PORT=$(PORT) tests/vm/run

shell: deps
	@$(MAKE) all
	@$(VM) shell --name shell -- sh -c \
		"insmod $(BUILD)/stock/kmqtt/kmqtt.ko; \
		PATH=$(BUILD)/tools:\$$PATH exec bash -i"

# --- test it ----------------------------------------------------------------

.PHONY: check style config kmqttd kunit selftests conformance clients package storm fuzz
check: deps
	@tests/check

style: deps
	@tests/check style
config: deps
	@tests/check config
kmqttd: deps
	@tests/check kmqttd
kunit: deps
	@tests/check kunit
selftests: deps
	@tests/check selftests
conformance: deps
	@tests/check conformance conformance-stock
clients: deps
	@tests/check clients
package:
	@tests/vm/deps package
	@tests/check package
storm: deps
	@tests/check storm

# Decoders and parsers in userspace, each target for so long.
SECONDS := 200
fuzz: deps
	@tools/fuzz/run $(SECONDS)

# --- measure it -------------------------------------------------------------

.PHONY: bench bench-quick
bench bench-quick: deps
	@$(MAKE) all
	@tests/bench/run $(if $(filter bench,$@),full,quick)

.PHONY: ynl
ynl: deps
	@YNL=$$(tests/vm/linux-source)/tools/net/ynl tools/ynl/regen.sh

# --- install it -------------------------------------------------------------

PREFIX ?= /usr
DESTDIR ?=
# What installs runs in directories of its own.
override DESTDIR := $(abspath $(DESTDIR))
SYSCONFDIR ?= /etc
VERSION = $(shell sed -n 's/^.define KMQTT_VERSION "\(.*\)"/\1/p' kmqtt/version.h)
DKMSDIR = $(DESTDIR)/usr/src/kmqtt-$(VERSION)

.PHONY: install module-install tools-install dkms-install
install: module-install tools-install

# For the kernel that runs, unless KDIR is another one's.
ifeq ($(origin KDIR),file)
INSTALL_KDIR = /lib/modules/$(shell uname -r)/build
else
INSTALL_KDIR = $(KDIR)
endif

module-install:
	@$(MAKE) module KDIR=$(INSTALL_KDIR)
	@$(MAKE) -C $(INSTALL_KDIR) M=$(BUILD)/stock/kmqtt \
		$(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) \
		INSTALL_MOD_DIR=updates modules_install
	@[ -n "$(DESTDIR)" ] || \
		depmod $$(cat $(INSTALL_KDIR)/include/config/kernel.release)

# The module's sources, instead of the module, for `dkms install`.
dkms-install:
	@echo "  INSTALL $(DKMSDIR)"
	@mkdir -p $(DKMSDIR)
	@rsync -a --delete --chmod=Du=rwx,Dgo=rx,Fu=rw,Fgo=r \
		--exclude '*.o' --exclude '.*.cmd' --exclude '*.ko' \
		--exclude '*.mod' --exclude '*.mod.c' --exclude modules.order \
		--exclude Module.symvers --exclude kmqtt/tests \
		kmqtt include $(DKMSDIR)/
	@sed 's/^PACKAGE_VERSION=.*/PACKAGE_VERSION="$(VERSION)"/' dkms.conf \
		>$(DKMSDIR)/dkms.conf

tools-install: tools
	@$(MAKE) -C tools/kmqttctl install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)
	@$(MAKE) -C tools/kmqttd install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)
	@$(MAKE) -C tools/bench install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)
	@$(MAKE) -C tools/systemd install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) \
		SYSCONFDIR=$(SYSCONFDIR)

# --- package it -------------------------------------------------------------

# Built from a copy: the tools' objects and the packages stay out of the way.
.PHONY: deb
deb:
	@tests/vm/deps package
	@rm -rf $(BUILD)/deb
	@mkdir -p $(BUILD)/deb
	@rsync -a --filter=':- .gitignore' --exclude=.git ./ \
		$(BUILD)/deb/kmqtt-$(VERSION)/
	@cd $(BUILD)/deb/kmqtt-$(VERSION) && MAKEFLAGS= dpkg-buildpackage \
		--no-sign --build=full --jobs=$(JOBS) >../build.log 2>&1 || \
		{ tail -n 30 ../build.log; exit 1; }
	@ls $(BUILD)/deb/*.deb

.PHONY: clean help
clean:
	@rm -rf build

help:
	@echo "make run         the broker in a VM, its port on localhost (PORT=$(PORT))"
	@echo "make shell       a shell in such a VM"
	@echo "make check       all tests: style config kmqttd kunit selftests conformance"
	@echo "                 clients storm, each of which is a target, too, and a short fuzz"
	@echo "make package     build the packages, install, upgrade and remove them in a VM"
	@echo "make fuzz        the decoders and the parsers, SECONDS=$(SECONDS) for each"
	@echo "make bench       measure it and other brokers: Documentation/performance.rst"
	@echo "make bench-quick the instruction clock alone, in some minutes"
	@echo "make             the module (for KDIR=$(KDIR)) and the tools"
	@echo "make install     both, for the running kernel or KDIR= (DESTDIR=, PREFIX=)"
	@echo "make deb         packages for Debian: build/deb/*.deb"
	@echo "make ynl         generated netlink code from Documentation/netlink/specs"
	@echo "make clean       remove build/; kernels stay in ~/.cache/kmqtt"
