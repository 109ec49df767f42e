// expect 1: aila: as<float> or as<double>
// expect 2: aila: safetensors files need a little-endian machine
#if defined(MUST_FAIL_2)
#undef __BYTE_ORDER__
#define __BYTE_ORDER__ __ORDER_BIG_ENDIAN__
#endif
#include <aila/io.hpp>

std::vector<double> numbers(const aila::io::TensorEntry& entry) {
#if defined(MUST_FAIL_1)
  const auto counts = aila::io::as<int>(entry);
  return {counts.begin(), counts.end()};
#else
  return aila::io::as<double>(entry);
#endif
}
