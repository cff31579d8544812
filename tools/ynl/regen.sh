#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Make the C that follows from Documentation/netlink/specs/kmqtt.yaml:
# the header that tools share with the module, and the module's policies.
#
# YNL in the environment names the directory tools/net/ynl of a Linux 6.12
# source tree, whose generator is used; that needs python3, yaml and
# jsonschema. A directory as argument takes the files instead of the source
# tree, for a comparison.

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:-$top}
spec=Documentation/netlink/specs/kmqtt.yaml
: "${YNL:?must name the directory tools/net/ynl of a Linux 6.12 source tree}"
gen=$YNL/ynl-gen-c.py
schema=$YNL/../../../Documentation/netlink/genetlink-legacy.yaml

for file in "$gen" "$schema"; do
	if [ ! -f "$file" ]; then
		echo "${0##*/}: $file isn't there" >&2
		exit 1
	fi
done

# The generator takes paths in the header comment from the directory that has
# a file MAINTAINERS, and the schema from the one above the spec.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/${spec%/*}"
: >"$scratch/MAINTAINERS"
cp "$schema" "$scratch/Documentation/netlink/"
cp "$top/$spec" "$scratch/$spec"

generate() {
	mkdir -p "$out/${3%/*}"
	PYTHONDONTWRITEBYTECODE=1 python3 "$gen" --spec "$scratch/$spec" \
		--mode "$1" "--$2" --cmp-out -o "$scratch/${3##*/}"
	mv "$scratch/${3##*/}" "$out/$3"
}

generate uapi header include/uapi/linux/kmqtt.h
generate kernel header kmqtt/control/genl.h
generate kernel source kmqtt/control/genl.c
