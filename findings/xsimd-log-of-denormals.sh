#!/bin/sh
# xsimd: the logarithm of a denormal double is wrong by 36.5, 5 % of its value.
#
# Versions: xsimd 8.0.5 and 14.1.0, the headers inside the wheels pythran 0.12.0 and 0.19.0 of PyPI; x86-64 (SSE2).
# Expected: log, log2 and log10 of every positive double within a few units of the last place, as for normal numbers, and as
#   of denormal floats.
# Found: denormal doubles get a logarithm about 36.5 too low (log2: 52.7, log10: 15.9); denormal floats do not. Smaller numbers
#   than the smallest denormal double, 4.9e-324 with the logarithm -744.4, would be needed to get what log(5.8e-309) gives.
# What it means here: aila's logarithm (backend/cpu/simd/batch_log.hpp) is its own.
# Output seen, of both releases:
#   log(2.3e-308): -708.363, by the C library -708.363
#   log(5.8e-309): -746.288, by the C library -709.741
#   log2(5.8e-309): -1076.666, by the C library -1023.940
#   log10(5.8e-309): -324.109, by the C library -308.237
#   log(5.8e-39F): -88.043, by the C library -88.043
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/ask.cpp" <<'CODE'
#include <cmath>
#include <cstdio>
#include <xsimd/xsimd.hpp>

using Doubles = xsimd::batch<double, xsimd::sse2>;
using Floats = xsimd::batch<float, xsimd::sse2>;

int main() {
  volatile double normal = 2.3e-308, denormal = 5.8e-309;
  volatile float small = 5.8e-39F;
  const auto show = [](const char* name, double found, double right) {
    std::printf("  %s: %.3f, by the C library %.3f\n", name, found, right);
  };
  std::printf("xsimd %d.%d.%d\n", XSIMD_VERSION_MAJOR, XSIMD_VERSION_MINOR, XSIMD_VERSION_PATCH);
  show("log(2.3e-308)", xsimd::log(Doubles(normal)).get(0), std::log(normal));
  show("log(5.8e-309)", xsimd::log(Doubles(denormal)).get(0), std::log(denormal));
  show("log2(5.8e-309)", xsimd::log2(Doubles(denormal)).get(0), std::log2(denormal));
  show("log10(5.8e-309)", xsimd::log10(Doubles(denormal)).get(0), std::log10(denormal));
  show("log(5.8e-39F)", static_cast<double>(xsimd::log(Floats(small)).get(0)), std::log(static_cast<double>(small)));
}
CODE
for version in 0.12.0 0.19.0; do
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work/$version" "pythran==$version"
  (cd "$work/$version" && python3 -m zipfile -e ./*.whl .)
  c++ -std=c++17 -O1 -I"$work/$version/pythran" "$work/ask.cpp" -o "$work/ask"
  "$work/ask"
done >"$work/found"
cat "$work/found"
for release in 8.0.5 14.1.0; do
  echo "xsimd $release"
  sed -n 's/^#   \(log.*\)$/  \1/p' "$0"
done | diff - "$work/found"
