#!/bin/sh
# xsimd: on AVX-512 `a > b ? x : y` of batches compiles and takes one side for all lanes; elsewhere it does not compile.
#
# Versions: xsimd 8.0.5 and 14.1.0, the headers inside the wheels pythran 0.12.0 and 0.19.0 of PyPI; x86-64, compiled for SSE2, AVX2
#   and AVX-512 (only that one is run, where the processor has it).
# Expected: a comparison of batches is a batch_bool, which is a bool for no architecture; who chooses by ?: where xsimd::select is
#   meant is told by the compiler, on every machine.
# Found: batch_bool converts to its register without being asked. That of AVX-512 is an integer, a bit a lane, and so a condition: true
#   where any lane is. Code that was written and tested there gives wrong numbers without a word, and stops to compile on others.
# What it means here: bodies compute with a type of aila's own around the batch (simd::Value), of which no comparison is a condition.
# Output seen, of both releases:
#   sse2: does not compile
#   avx2: does not compile
#   avx512: compiles; lanes -1, 1 by x > 0 ? x : x / 8 are -1, 1, by select -0.125, 1
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/ask.cpp" <<'CODE'
#include <cstdio>
#include <xsimd/xsimd.hpp>

using Floats = xsimd::batch<float>;

int main() {
  float in[Floats::size], out[Floats::size], right[Floats::size];
  for (std::size_t i = 0; i < Floats::size; ++i) in[i] = i % 2 == 0 ? -1.0F : 1.0F;
  const Floats x = Floats::load_unaligned(in);
  const Floats chosen = x > Floats(0.0F) ? x : x / Floats(8.0F);
  chosen.store_unaligned(out);
  xsimd::select(x > Floats(0.0F), x, x / Floats(8.0F)).store_unaligned(right);
  std::printf("; lanes -1, 1 by x > 0 ? x : x / 8 are %g, %g, by select %g, %g", out[0], out[1], right[0], right[1]);
}
CODE
runs=$(grep -c -m1 avx512dq /proc/cpuinfo || true)
[ "$runs" = 1 ] || echo "this processor has no AVX-512: that it compiles is shown, not what it gives"
for version in 0.12.0 0.19.0; do
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work/$version" "pythran==$version"
  (cd "$work/$version" && python3 -m zipfile -e ./*.whl .)
  for level in sse2:x86-64 avx2:x86-64-v3 avx512:x86-64-v4; do
    printf '  %s: ' "${level%:*}"
    if c++ -std=c++17 -O1 "-march=${level#*:}" -I"$work/$version/pythran" "$work/ask.cpp" -o "$work/ask" 2>/dev/null; then
      printf compiles
      [ "$runs" != 1 ] || "$work/ask"
      echo
    else
      echo "does not compile"
    fi
  done
done >"$work/found"
cat "$work/found"
for release in 8.0.5 14.1.0; do
  sed -n 's/^#   \(\(sse2\|avx2\|avx512\): .*\)$/  \1/p' "$0"
done | { [ "$runs" = 1 ] && cat || sed 's/compiles; .*/compiles/'; } | diff - "$work/found"
echo "as stated"
