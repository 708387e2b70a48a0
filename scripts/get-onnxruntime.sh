#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Puts ONNX Runtime's library at DIR/libonnxruntime.so (default: build/onnxruntime).
# It is the one in the npm package onnxruntime-node, of a pinned version and checksum.
# Does nothing when the right one is there already.
#
#   scripts/get-onnxruntime.sh [DIR]
#
# ONNXRUNTIME_TARBALL=FILE takes the package from a file, for a machine without network:
#   npm pack onnxruntime-node@VERSION    makes that file elsewhere.
# ONNXRUNTIME_ARCH=x64|arm64 gets the one of another machine (for an image built crosswise).
set -eu

version=1.24.3
sum_x64=92ba8e44d31b80a34f5e805076a044122c3be1fffe0d88ed790de7267b0b2682
sum_arm64=33032cb5b91c12edbf028d7c69fa40a31848d66c0095448758af237d5e0b07db

fail() {
	printf 'get-onnxruntime: %s\n' "$*" >&2
	exit 1
}

root=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:-$root/build/onnxruntime}
library=$dir/libonnxruntime.so

[ "$(uname -s)" = Linux ] || fail "$(uname -s) is not served: install ONNX Runtime $version or later yourself and set ONNXRUNTIME_LIB to its library"

case ${ONNXRUNTIME_ARCH:-$(uname -m)} in
x86_64 | amd64 | x64) arch=x64 sum=$sum_x64 ;;
aarch64 | arm64) arch=arm64 sum=$sum_arm64 ;;
*) fail "no package for ${ONNXRUNTIME_ARCH:-$(uname -m)}: allowed are x64 and arm64; build ONNX Runtime and set ONNXRUNTIME_LIB to its library" ;;
esac

for tool in sha256sum tar; do
	command -v "$tool" >/dev/null 2>&1 || fail "$tool is missing: install coreutils and tar"
done

sum_of() { sha256sum "$1" | cut -d ' ' -f 1; }

if [ -f "$library" ] && [ "$(sum_of "$library")" = "$sum" ]; then
	touch "$library" # newer than this script, for make
	echo "get-onnxruntime: $library is ONNX Runtime $version ($arch) already"
	exit 0
fi

mkdir -p "$dir" || fail "cannot make $dir: give a folder that you may write to, as in: $0 DIR"
# Beside its goal, so that the last step is a rename: nobody ever sees half a library.
work=$(mktemp -d "$dir/.get.XXXXXX") || fail "cannot write in $dir: give a folder that you may write to, as in: $0 DIR"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

tarball=${ONNXRUNTIME_TARBALL:-}
if [ -z "$tarball" ]; then
	command -v npm >/dev/null 2>&1 || fail "npm is missing: install it (Debian: apt-get install npm), or run 'npm pack onnxruntime-node@$version' on another machine and set ONNXRUNTIME_TARBALL to the file"
	echo "get-onnxruntime: fetching onnxruntime-node@$version (86 MB) with npm"
	(cd "$work" && npm pack --silent "onnxruntime-node@$version" >npm.out 2>npm.err) || {
		cat "$work/npm.out" "$work/npm.err" >&2
		fail "npm could not fetch onnxruntime-node@$version: check the network and npm's registry and proxy settings (npm config list), then run it again"
	}
	tarball=$work/onnxruntime-node-$version.tgz
fi
[ -f "$tarball" ] || fail "$tarball is missing: set ONNXRUNTIME_TARBALL to the file that 'npm pack onnxruntime-node@$version' made"

member=package/bin/napi-v6/linux/$arch/libonnxruntime.so.1
tar -xmzf "$tarball" -C "$work" "$member" || fail "$tarball does not hold $member: it is not onnxruntime-node@$version, or damaged; fetch it again"

got=$(sum_of "$work/$member")
[ "$got" = "$sum" ] || fail "checksum of $member is $got, expected $sum: the package is not the pinned one; delete it and fetch it again, and if that does not help do not use it"

chmod 755 "$work/$member"
mv -f "$work/$member" "$library"
echo "get-onnxruntime: $library is ONNX Runtime $version ($arch)"
