// Timing a run.
#pragma once

#include <cstddef>
#include <vector>

#include "work.hpp"

namespace works {

struct Times {
  std::size_t calls = 1;        ///< in each of the numbers below
  std::vector<double> seconds;  ///< of one call: means over `calls` of them
  std::vector<double> beside;   ///< the same of the library beside, taken alternately
};

/// Warms up, then repeats for `seconds` of the wall clock. Where a call takes less than the clock can tell, each number
/// is the mean of several.
Times measure(Run& run, double seconds);

struct Latency {
  std::size_t calls;
  double p50, p99, p999, most;  ///< seconds
};

/// The distribution over single calls; each is measured with the clock, which itself takes some 20 ns.
Latency latency(Run& run, std::size_t calls);

}  // namespace works
