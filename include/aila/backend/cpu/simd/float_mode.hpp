// Denormal numbers count as zero while kernels run.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <cstdint>

#if defined(__SSE2__)
#include <xmmintrin.h>

#include "../../../core/config.hpp"
#endif

namespace aila::inline v0 {

/// While it lives, this thread's denormal operands and results are zero; afterwards its mode is what it was.
/// Gradients through many steps shrink into that range, where many processors take some hundred cycles an operation: a
/// training step of an LSTM of 200 steps was 15 times slower for them. x86 and 64-bit ARM; elsewhere it does nothing.
class FlushDenormals {
 public:
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;
#if defined(__SSE2__)
  FlushDenormals() noexcept : before_(_mm_getcsr()) { _mm_setcsr(before_ | flush_to_zero | denormals_are_zero); }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  static constexpr unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040;
  unsigned before_;
#elif defined(__aarch64__)
  FlushDenormals() noexcept {
    __asm__ volatile("mrs %0, fpcr" : "=r"(before_));
    __asm__ volatile("msr fpcr, %0" : : "r"(before_ | flush_to_zero));
  }
  ~FlushDenormals() { __asm__ volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  static constexpr std::uint64_t flush_to_zero = std::uint64_t{1} << 24;
  std::uint64_t before_ = 0;
#else
  FlushDenormals() noexcept {}
  ~FlushDenormals() {}
#endif
};

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
