// What is timed on a GPU: training steps and predictions of the networks of ../works/networks.hpp, at two sizes of
// batch.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cuda_works {

struct Work {
  std::string name;  ///< "train/forecast/linear/1024"
  double flops;      ///< of one run
  /// Median seconds of one run, waiting for its end each time, over `seconds` of them behind a warm-up.
  double (*measure)(double seconds);
};
inline std::vector<Work>& works() {
  static std::vector<Work> all;
  return all;
}

}  // namespace cuda_works
