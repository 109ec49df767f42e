#!/bin/sh
# Puts the headers of a recent xsimd, 14.1, into build/xsimd-newest, for the preset newest-xsimd. Debian has older ones alone;
# a wheel of PyPI, Pythran's, carries these. Needs pip and the network, once.
set -eu
cd "$(dirname "$0")/.."

to=build/xsimd-newest
version=14.1
has() { # whether the folder holds the headers of that version
  config=$1/include/xsimd/config/xsimd_config.hpp
  [ -e "$config" ] && [ "$(sed -n 's/^#define XSIMD_VERSION_M[AI][JN]OR //p' "$config" | tr '\n' .)" = "$version." ]
}
if has "$to"; then exit 0; fi

rm -rf "$to" "$to.part"
mkdir -p "$to.part/include"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$to.part" pythran==0.19.0
unzip -q "$to.part"/pythran-0.19.0-*.whl 'pythran/xsimd/*' -d "$to.part"
mv "$to.part/pythran/xsimd" "$to.part/include/xsimd"
has "$to.part" || { echo "the wheel of pythran 0.19.0 should have held xsimd $version" >&2; exit 1; }
mv "$to.part" "$to"
