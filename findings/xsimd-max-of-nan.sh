#!/bin/sh
# xsimd 8.1.0 (Debian 12, libxsimd-dev 8.1.0-7) and 14.1.0 (inside PyPI's pythran 0.19.0): max and min of batches with a NaN.
#
# Expected: x86's maxps gives its second operand where one is NaN, and a new version of a wrapper keeps which operand of
# its own that is; neither version documents NaN.
# Seen: 8.1 gives the second argument, 14.1 the first one: max(NaN, 1) was 1 and is NaN, max(1, NaN) was NaN and is 1, and so
# of min. What relied on `max(x, limit)` letting no NaN through, or on `max(limit, x)` keeping it, does the opposite.
# Needs apt-get, dpkg-deb, pip, unzip and g++ on x86-64. Fails where this changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download libxsimd-dev=8.1.0-7 >/dev/null 2>&1
dpkg-deb -x libxsimd-dev_8.1.0-7_*.deb old
python3 -m pip download --quiet --no-deps pythran==0.19.0
unzip -q pythran-0.19.0-*.whl 'pythran/xsimd/*' -d new

cat >program.cpp <<'END'
#include <cstdio>
#include <limits>
#include <xsimd/xsimd.hpp>
int main() {
  using Batch = xsimd::batch<float, xsimd::sse2>;
  volatile float nan = std::numeric_limits<float>::quiet_NaN(), one = 1;
  const Batch n(nan), o(one);
  const auto first = [](Batch b) { float f[4]; b.store_unaligned(f); return f[0] == f[0] ? f[0] : -1; };
  std::printf("%d.%d max(NaN,1)=%g max(1,NaN)=%g min(NaN,1)=%g min(1,NaN)=%g\n", XSIMD_VERSION_MAJOR,
              XSIMD_VERSION_MINOR, first(max(n, o)), first(max(o, n)), first(min(n, o)), first(min(o, n)));
}
END
g++ -std=c++17 -O1 -Iold/usr/include program.cpp -o old/program
g++ -std=c++17 -O1 -Inew/pythran program.cpp -o new/program
{ ./old/program; ./new/program; } | sed 's/=-1/=NaN/g' >seen
cat seen
cat >expected <<'END'
8.1 max(NaN,1)=1 max(1,NaN)=NaN min(NaN,1)=1 min(1,NaN)=NaN
14.1 max(NaN,1)=NaN max(1,NaN)=1 min(NaN,1)=NaN min(1,NaN)=1
END
cmp seen expected
