#!/bin/sh
# CMake 3.25.0 and 3.25.1 (Debian 12's) compile CUDA C++20 as C++17 where nvcc is 12 or newer, and say nothing.
#
# Versions: CMake 3.25.0 and, to compare, 3.25.2, with nvcc 13.0.88; all from PyPI.
# Expected: CUDA_STANDARD 20 adds -std=c++20, which nvcc knows since 12.0, or configuring fails.
# Found: 3.25.0 thinks that nvcc ends at C++17. With CUDA_STANDARD_REQUIRED it refuses; without, which is the default, the
#   property adds nothing, the compiler's own default of C++17 holds, and what fails is the user's code, line by line.
#   3.25.2 adds the option.
# What it means here: for such a CMake aila::aila brings -std=c++20 to CUDA itself.
# Output seen:
#   3.25.0: knows to 17, CUDA_STANDARD 20 gives no option; required, configuring fails
#   3.25.2: knows to 20, CUDA_STANDARD 20 gives -std=c++20; required, the same
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >CMakeLists.txt <<'CODE'
cmake_minimum_required(VERSION 3.18)
project(ask LANGUAGES CXX CUDA)
list(TRANSFORM CMAKE_CUDA_COMPILE_FEATURES REPLACE "cuda_std_" "")
message(STATUS "knows to ${CMAKE_CUDA_COMPILE_FEATURES}.")
add_library(ask OBJECT ask.cu)
set_target_properties(ask PROPERTIES CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ${REQUIRED} CUDA_ARCHITECTURES 90)
CODE
echo '__global__ void ask() {}' >ask.cu
python3 -m venv tools
tools/bin/pip install -q ninja==1.11.1.1 nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88 \
  nvidia-cuda-runtime==13.0.88
cuda=$(echo "$work"/tools/lib/python3*/site-packages/nvidia/cu13)
configure() {  # <version> <required>: prints the -std of the unit
  rm -rf build
  CUDACXX=$cuda/bin/nvcc CUDAFLAGS="-L$cuda/lib" "cmake-$1/bin/cmake" -S . -B build -G Ninja -DREQUIRED="$2" \
    -DCMAKE_MAKE_PROGRAM="$work/tools/bin/ninja" >log 2>&1 || { echo "configuring fails"; return; }
  grep -o -e '-std=[^ ]*' build/build.ninja || echo "no option"
}
for version in 3.25.0 3.25.2; do
  python3 -m venv "cmake-$version"
  "cmake-$version/bin/pip" install -q "cmake==$version"
  plain=$(configure "$version" OFF)
  known=$(sed -n 's/^-- knows to .*;\([0-9]*\)\.$/\1/p' log)
  required=$(configure "$version" ON)
  [ "$required" = "$plain" ] && required="the same"
  echo "$version: knows to $known, CUDA_STANDARD 20 gives $plain; required, $required"
done >found
cat found
diff - found <<'SEEN'
3.25.0: knows to 17, CUDA_STANDARD 20 gives no option; required, configuring fails
3.25.2: knows to 20, CUDA_STANDARD 20 gives -std=c++20; required, the same
SEEN
