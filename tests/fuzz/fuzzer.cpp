// One loader under libFuzzer; AILA_FUZZ_LOADER names it.
#include <cstddef>
#include <cstdint>

#include "loaders.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  aila_fuzz::AILA_FUZZ_LOADER::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
