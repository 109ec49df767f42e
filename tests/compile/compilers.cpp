// expect 1: aila: C++20 is needed; compile with -std=c++20 or newer
// expect 2: aila: g++ 12 or newer is needed
// expect 3: aila: clang 16 or newer is needed
// expect 4: aila: Apple clang 15 or newer is needed
// expect 5: aila: an unsupported compiler; g++ 12 or newer, or clang 16 or newer, is needed
#if defined(MUST_FAIL_1)
#undef __cplusplus
#define __cplusplus 201703L
#elif defined(MUST_FAIL_2)
#undef __clang__
#undef __GNUC__
#define __GNUC__ 11
#elif defined(MUST_FAIL_3)
#undef __clang_major__
#define __clang__ 1
#define __clang_major__ 15
#elif defined(MUST_FAIL_4)
#define __apple_build_version__ 14000000
#elif defined(MUST_FAIL_5)
#undef __clang__
#undef __GNUC__
#endif
#include <aila/aila.hpp>
