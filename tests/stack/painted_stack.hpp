// How much of a thread's stack a call takes: a thread of its own, whose stack was painted before.
#pragma once

#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

namespace aila {

/// A stack so large that what a call takes too much is measured, and does not end the program.
class PaintedStack {
 public:
  /// Bytes from where f was called to the deepest that was written.
  template <class F>
  std::size_t used_by(F&& f) {
    std::fill(memory_.begin(), memory_.end(), paint);
    const auto call = [&] {
      volatile char here = 0;
      top_ = reinterpret_cast<std::uintptr_t>(&here);
      f();
    };
    using Call = std::remove_const_t<decltype(call)>;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    const auto first = reinterpret_cast<std::uintptr_t>(memory_.data()), aligned = (first + 4095) / 4096 * 4096;
    pthread_attr_setstack(&attributes, reinterpret_cast<void*>(aligned), size);
    pthread_t thread;
    const auto run = [](void* argument) -> void* {
      (*static_cast<Call*>(argument))();
      return nullptr;
    };
    const int failed = pthread_create(&thread, &attributes, run, const_cast<Call*>(&call));
    pthread_attr_destroy(&attributes);
    if (failed != 0) return size;
    pthread_join(thread, nullptr);
    const auto deepest = std::find_if(memory_.begin(), memory_.end(), [](std::uint64_t word) { return word != paint; });
    return top_ - reinterpret_cast<std::uintptr_t>(&*deepest);
  }

 private:
  static constexpr std::size_t size = std::size_t{16} << 20;
  static constexpr std::uint64_t paint = 0x7a1a57acc0ffee01;
  std::vector<std::uint64_t> memory_ = std::vector<std::uint64_t>(size / 8 + 512);
  std::uintptr_t top_ = 0;
};

/// One for all tests of a program: it is large.
inline PaintedStack& painted_stack() {
  static PaintedStack stack;
  return stack;
}

#if defined(__has_feature)
#define AILA_TEST_HAS_FEATURE(x) __has_feature(x)
#else
#define AILA_TEST_HAS_FEATURE(x) 0
#endif
/// Most bytes that a call may take: 32 KiB, whatever the network and however little is optimised. The address and the
/// memory sanitizer keep variables apart on the stack: under them, four times as much.
#if defined(__SANITIZE_ADDRESS__) || AILA_TEST_HAS_FEATURE(address_sanitizer) || AILA_TEST_HAS_FEATURE(memory_sanitizer)
inline constexpr std::size_t stack_bound = std::size_t{4} * 32768;
#else
inline constexpr std::size_t stack_bound = 32768;
#endif
#undef AILA_TEST_HAS_FEATURE

}  // namespace aila
