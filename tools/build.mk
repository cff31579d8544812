# SPDX-License-Identifier: GPL-2.0
# What the Makefiles of the tools have in common: where things go, and how what
# is done is told. V=1 tells all of it.

O ?= ../../build/tools
VERSION ?= $(shell sed -n 's/^.define KMQTT_VERSION "\(.*\)"/\1/p' \
	../../kmqtt/version.h)
CC ?= cc
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g

PREFIX ?= /usr
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif
