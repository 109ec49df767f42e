// The arithmetic that the library needs. Every header includes this, itself or by others.
#pragma once

#define AILA_ARITHMETIC_IS_CHECKED

// A training that has diverged is told by its NaN, and 2^x is had by adding a large number and taking it away again:
// options that let the compiler do without either would give other numbers, and nobody would be told. (No macro of
// clang tells of -fassociative-math or -funsafe-math-optimizations by themselves: there it is up to you to leave them
// out.)
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "aila: NaN must stay; add -fno-finite-math-only -fno-associative-math"
#if defined(__clang__)  // that one error is all
#pragma clang diagnostic ignored "-Wunknown-warning-option"
#pragma clang diagnostic ignored "-Wnan-infinity-disabled"
#endif
#elif defined(__ASSOCIATIVE_MATH__)
#error "aila: sums must keep their order; add -fno-associative-math"
#endif
