// A work: something that is timed again and again, beside others of its name in other programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace works {

/// Numbers that tell another program what was computed of what.
struct Tensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

/// A work under way, with its memory.
class Run {
 public:
  Run() = default;
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  virtual ~Run() = default;

  virtual void repeat(std::size_t times) = 0;
  /// Threads that compute, where that was found out here; 0: those of the work.
  virtual std::size_t threads_used() const { return 0; }
  /// The name of another library that does the same in this process; null for none.
  virtual const char* beside() const { return nullptr; }
  virtual void repeat_beside(std::size_t) {}
  /// Parameters under their own names, "work.input" and what came of it ("work.output"; of training "work.target",
  /// "work.loss" and "gradient." with a parameter's name). Of a run that has just begun.
  virtual std::vector<Tensor> dump() = 0;
};

struct Work {
  std::string name;
  std::size_t threads = 1;
  double flops = 0;  ///< of one call
  double bytes = 0;  ///< read and written by one call; 0: not told
  std::function<std::unique_ptr<Run>()> start;
};
using Works = std::vector<Work>;

/// Element i of stream t, from -1 to 1: not periodic, and the same on every machine.
inline float number(std::uint32_t t, std::size_t i) {
  std::uint32_t h = static_cast<std::uint32_t>(i) * 0x9E3779B1U + t * 0x85EBCA77U;
  h = (h ^ (h >> 15U)) * 0x2C1B3C6DU;
  h = (h ^ (h >> 12U)) * 0x297A2D39U;
  h ^= h >> 15U;
  return static_cast<float>(static_cast<double>(h) / 2147483648.0 - 1.0);
}

inline std::vector<float> numbers(std::uint32_t stream, std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = number(stream, i);
  return values;
}

/// The compiler must believe that these results are read.
inline void keep(const void* results) {
  asm volatile("" : : "g"(results) : "memory");
}

/// All works, in the order of the table.
Works all_works();

void add_products(Works& works);
void add_steps(Works& works);
void add_convolutions(Works& works);

}  // namespace works
