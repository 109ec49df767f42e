// Version of the library, and the compilers it supports.
#pragma once

#include "config.hpp"

#define AILA_VERSION_MAJOR 0
#define AILA_VERSION_MINOR 1
#define AILA_VERSION_PATCH 0

// The inline namespace `aila::v0` carries the major version: objects of two major versions never link by accident.
// Where the compiler is not one of them, that one error is all: <aila/aila.hpp> includes nothing more.
#define AILA_SUPPORTED_COMPILER
#if __cplusplus < 202002L
#undef AILA_SUPPORTED_COMPILER
#error "aila: C++20 is needed; compile with -std=c++20 or newer"
#elif defined(__CUDACC__)
// nvcc's front end reports the version of its host compiler, which is checked when the host part is compiled.
#elif defined(__apple_build_version__)
#if __apple_build_version__ < 15000000
#undef AILA_SUPPORTED_COMPILER
#error "aila: Apple clang 15 or newer is needed"
#endif
#elif defined(__clang__)
#if __clang_major__ < 16
#undef AILA_SUPPORTED_COMPILER
#error "aila: clang 16 or newer is needed"
#endif
#elif defined(__GNUC__)
#if __GNUC__ < 12
#undef AILA_SUPPORTED_COMPILER
#error "aila: g++ 12 or newer is needed"
#endif
#else
#undef AILA_SUPPORTED_COMPILER
#error "aila: an unsupported compiler; g++ 12 or newer, or clang 16 or newer, is needed"
#endif
