#!/bin/sh
# Installs what building aila needs and this machine lacks: sh cmake/setup.sh [--images | --ci]
# With --images also Fashion-MNIST, which examples/image learns from. With --ci that, and what checking a change needs: clang 19,
# its sanitizer runtimes, clang-format, clang-tidy, pip, and a compiler and an emulator for AArch64.
# On Debian and Ubuntu by apt; elsewhere it says what is needed. Quick where all is there.
set -eu

packages="g++ cmake ninja-build libxsimd-dev libeigen3-dev nlohmann-json3-dev libcli11-dev doctest-dev libbenchmark-dev
  zlib1g-dev"
# What examples/get-data.sh and its test call.
packages="$packages ca-certificates curl unzip"
case "${1-}" in
  "") ;;
  --images) packages="$packages dataset-fashion-mnist" ;;
  --ci)
    packages="$packages dataset-fashion-mnist git clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev
      python3-pip g++-aarch64-linux-gnu qemu-user xz-utils"
    ;;
  *) echo "usage: sh cmake/setup.sh [--images | --ci]" >&2; exit 2 ;;
esac

# at_least <found> <needed>: compares version numbers.
at_least() { printf '%s\n%s\n' "$2" "$1" | sort -C -V; }

# check <program> <version> <needed>: says what is too old, or not there.
check() {
  if [ -z "$2" ]; then echo "aila needs $1 $3 or newer, which was not found." >&2; return 1; fi
  if ! at_least "$2" "$3"; then echo "aila needs $1 $3 or newer, and this machine has $2." >&2; return 1; fi
}

if command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
  missing=""
  for package in $packages; do
    case "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" in
      installed*) continue ;;
    esac
    # A tool that came another way serves as well.
    case "$package" in
      g++ | cmake | git | curl | unzip) command -v "$package" >/dev/null 2>&1 && continue ;;
      ca-certificates) [ -e /etc/ssl/certs/ca-certificates.crt ] && continue ;;
      ninja-build) command -v ninja >/dev/null 2>&1 && continue ;;
      python3-pip) python3 -m pip --version >/dev/null 2>&1 && continue ;;
    esac
    missing="$missing $package"
  done
  if [ -n "$missing" ]; then
    as_root=""
    if [ "$(id -u)" != 0 ]; then
      if ! command -v sudo >/dev/null 2>&1; then
        echo "Not root, and there is no sudo. As root, run: apt-get update && apt-get install$missing" >&2
        exit 1
      fi
      as_root=sudo
    fi
    echo "Installing:$missing"
    # Where the lists cannot be had anew, those of before may do.
    $as_root apt-get update -qq || true
    # shellcheck disable=SC2086  # the list is meant to fall apart into words
    if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing </dev/null; then
      echo "apt-get could not install what aila needs and this machine lacks:$missing" >&2
      exit 1
    fi
  fi
else
  cat >&2 <<'TEXT'
This is neither Debian nor Ubuntu, so nothing was installed. aila needs
  g++ 12 or clang 16, or newer; CMake 3.25 or newer; Ninja;
and uses, from where CMake finds them or else fetched while configuring,
  xsimd 8 or newer, Eigen 3.4, nlohmann_json 3.10, CLI11 2.1, doctest 2.4, Google Benchmark 1.7, zlib.
Data sets are downloaded by curl (or wget) and unpacked by tar, gzip and unzip.
TEXT
  case "${1-}" in --images | --ci) echo "Fashion-MNIST is had by: sh examples/get-data.sh fashion-mnist" >&2 ;; esac
fi

fine=yes
version=$(cmake --version 2>/dev/null | sed -n '1s/[^0-9]*\([0-9.]*\).*/\1/p') || true
check CMake "$version" 3.25 || fine=no
command -v ninja >/dev/null 2>&1 || { echo "aila's presets need Ninja, which was not found." >&2; fine=no; }
compiler=${CXX:-c++}
version=$("$compiler" -dumpfullversion -dumpversion 2>/dev/null) || true
if "$compiler" --version 2>/dev/null | grep -q clang; then
  check clang "$version" 16 || fine=no
else
  check g++ "$version" 12 || fine=no
fi
[ "$fine" = yes ]
