// expect 1 with -ffinite-math-only: aila: NaN must stay; add -fno-finite-math-only -fno-associative-math
// expect 2 with -ffast-math: aila: NaN must stay; add -fno-finite-math-only -fno-associative-math
// expect 3 with -Ofast: aila: NaN must stay; add -fno-finite-math-only -fno-associative-math
// expect 4 with -O3 -ffinite-math-only: aila: NaN must stay; add -fno-finite-math-only -fno-associative-math
// expect 5 with -funsafe-math-optimizations: aila: sums must keep their order; add -fno-associative-math
#if defined(MUST_FAIL_2)
#include <aila/io.hpp>
#elif defined(MUST_FAIL_3)
#include <aila/eigen.hpp>
#elif defined(MUST_FAIL_4)
#include <aila/any_model.hpp>
#else
#if defined(MUST_FAIL_5) && !defined(__ASSOCIATIVE_MATH__)  // clang does not say
#define __ASSOCIATIVE_MATH__ 1
#endif
#include <aila/aila.hpp>
#endif
