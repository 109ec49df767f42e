// expect: aila: as<float> or as<double>
#include <aila/io.hpp>

std::vector<double> numbers(const aila::io::TensorEntry& entry) {
#if defined(MUST_FAIL)
  const auto counts = aila::io::as<int>(entry);
  return {counts.begin(), counts.end()};
#else
  return aila::io::as<double>(entry);
#endif
}
