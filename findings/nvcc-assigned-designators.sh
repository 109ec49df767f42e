#!/bin/sh
# nvcc drops the names of designated initialisers in an assignment inside a template, and values go to the wrong members.
#
# Versions: nvcc 13.0.88 and 13.5.37 (PyPI) with the machine's g++, C++20. It is host code: no GPU is needed.
# Expected: `member = {.value = 3, .item = 7}` sets value to 3, item to 7 and what lies between to its default, in a template
#   as outside of one, and as g++ does with the same file.
# Found: where the type of what is assigned to depends on a template's parameter, or it is an element of an array of
#   dependent size, the code that nvcc hands to the host's compiler says `member = {3, 7}`: the second number goes to the
#   second member. Without a word where the types convert (a narrowing is warned of). Initialisation, `Type{.value = 3}`,
#   arguments and return values are translated rightly.
# What it means here: headers that nvcc reads name the type, `x = Type{.a = 1}`; tests/compile/designators.cmake refuses the other form.
# Output seen:
#   g++: 3 0 7, 3 0 7, named 3 0 7
#   nvcc 13.0.88: 3 7 0, 3 7 0, named 3 0 7
#   nvcc 13.5.37: 3 7 0, 3 7 0, named 3 0 7
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >assigned.cu <<'CODE'
#include <array>
#include <cstdio>
template <class S>
struct Entry {
  S value = 0, between = 0, item = 0;
};
struct Plain {
  int value = 0, between = 0, item = 0;
};
template <class S>
struct Table {
  Entry<S> one;
  std::array<Plain, sizeof(S)> all{};
  Entry<S> named;
  void set(S value, S item) {
    one = {.value = value, .item = item};
    all[1] = {.value = value, .item = item};
    named = Entry<S>{.value = value, .item = item};
  }
};
int main() {
  Table<int> t;
  t.set(3, 7);
  std::printf("%d %d %d, %d %d %d, named %d %d %d\n", t.one.value, t.one.between, t.one.item, t.all[1].value,
              t.all[1].between, t.all[1].item, t.named.value, t.named.between, t.named.item);
}
CODE
g++ -std=c++20 -x c++ assigned.cu -o by_host
echo "g++: $(./by_host)" >found
for version in 13.0.88 13.5.37; do
  python3 -m venv "tools-$version"
  "tools-$version/bin/pip" install -q "nvidia-cuda-nvcc==$version" "nvidia-cuda-crt==$version" "nvidia-nvvm==$version" \
    "nvidia-cuda-runtime==$version"
  cuda=$(echo "$work/tools-$version"/lib/python3*/site-packages/nvidia/cu13)
  "$cuda/bin/nvcc" -std=c++20 "-L$cuda/lib" assigned.cu -o "by_$version" 2>log || { cat log >&2; exit 1; }
  echo "nvcc $version: $("./by_$version")" >>found
done
cat found
diff - found <<'SEEN'
g++: 3 0 7, 3 0 7, named 3 0 7
nvcc 13.0.88: 3 7 0, 3 7 0, named 3 0 7
nvcc 13.5.37: 3 7 0, 3 7 0, named 3 0 7
SEEN
