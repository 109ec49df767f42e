#!/bin/sh
# xsimd: whether max, min, fmax, fmin and clip give NaN or the other number depends on the order of the arguments, and on
# the release in opposite ways.
#
# Versions: xsimd 8.0.5 and 14.1.0, the headers inside the wheels pythran 0.12.0 and 0.19.0 of PyPI; x86-64 (SSE2).
# Expected: fmax and fmin as in C (a NaN beside a number is missing data: fmax(NaN, 1) and fmax(1, NaN) are 1), and of max,
#   min and clip either that or NaN, for both orders and in all releases.
# Found: all four hand their arguments to maxps and minps, which give the second where one is NaN. 8.0.5 (and up to 12.1.1)
#   gives them in order, so that max(NaN, 1) is 1, max(1, NaN) is NaN and clip(NaN, 0, 1) is 0; 14.1.0 turns them round:
#   NaN, 1 and 1. A NaN that is clipped thus becomes a number in the middle of the others, another one in each release.
# What it means here: aila's kernels clamp and take maxima by functions of their own that keep NaN.
# Output seen:
#   xsimd 8.0.5: max 1 nan, min 1 nan, fmax 1 nan, fmin 1 nan, clip 0
#   xsimd 14.1.0: max nan 1, min nan 1, fmax nan 1, fmin nan 1, clip 1
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/ask.cpp" <<'CODE'
#include <cstdio>
#include <limits>
#include <xsimd/xsimd.hpp>

using Batch = xsimd::batch<float, xsimd::sse2>;

int main() {
  volatile float missing = std::numeric_limits<float>::quiet_NaN(), number = 1;
  const Batch nan(missing), one(number), zero(0.0F);
  const auto show = [](const char* name, Batch a, Batch b) { std::printf(" %s %g %g,", name, a.get(0), b.get(0)); };
  std::printf("xsimd %d.%d.%d:", XSIMD_VERSION_MAJOR, XSIMD_VERSION_MINOR, XSIMD_VERSION_PATCH);
  show("max", xsimd::max(nan, one), xsimd::max(one, nan));
  show("min", xsimd::min(nan, one), xsimd::min(one, nan));
  show("fmax", xsimd::fmax(nan, one), xsimd::fmax(one, nan));
  show("fmin", xsimd::fmin(nan, one), xsimd::fmin(one, nan));
  std::printf(" clip %g\n", xsimd::clip(nan, zero, one).get(0));
}
CODE
for version in 0.12.0 0.19.0; do
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work/$version" "pythran==$version"
  (cd "$work/$version" && python3 -m zipfile -e ./*.whl .)
  c++ -std=c++17 -O1 -I"$work/$version/pythran" "$work/ask.cpp" -o "$work/ask"
  "$work/ask"
done >"$work/found"
cat "$work/found"
diff - "$work/found" <<'SEEN'
xsimd 8.0.5: max 1 nan, min 1 nan, fmax 1 nan, fmin 1 nan, clip 0
xsimd 14.1.0: max nan 1, min nan 1, fmax nan 1, fmin nan 1, clip 1
SEEN
