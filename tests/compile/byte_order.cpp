// expect: aila: safetensors files need a little-endian machine
#if defined(MUST_FAIL)
#undef __BYTE_ORDER__
#define __BYTE_ORDER__ __ORDER_BIG_ENDIAN__
#endif
#include <aila/io.hpp>
