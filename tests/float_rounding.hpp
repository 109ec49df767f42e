// How far apart results in float lie that are all right to within the rounding of the weights.
//
// LayerNorm over a few nearly dead channels amplifies rounding, and so does what nearly divides by zero: there are
// figures that computation in float does not meet to 1e-5, whoever does it (PyTorch's own, in float32, has 1.3e-5 on
// lstm-linear1-depth4). Which these are is measured: by the plain loops in float, on weights moved by one unit in the
// last place. Where half as much again is more than what is asked of all it is the bound instead, and is printed.
#pragma once

#include <aila/core/random.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace float_rounding {

/// Moves each weight up or down by one unit in its last place, or leaves it: what weights rounded otherwise would be.
/// Seed 0 leaves all.
template <class S>
void perturb(std::vector<S>& weights, std::uint64_t seed, std::size_t tensor) {
  if (seed == 0) return;
  const aila::Random random(aila::Seed{seed * 1000 + tensor}, aila::Purpose::initialise, 0, 0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto draw = random.block(0, i)[0] % 3;
    if (draw != 0) weights[i] = std::nextafter(weights[i], draw == 1 ? S(INFINITY) : S(-INFINITY));
  }
}

struct Bound {
  double rounding = 0, most;
  /// worst(seed): of the plain loops in float, on weights perturbed by it.
  template <class F>
  Bound(double of_all, F&& worst) : most(of_all) {
    for (std::uint64_t seed = 0; seed <= 8; ++seed) rounding = std::max(rounding, worst(seed));
    most = std::max(most, 1.5 * rounding);
  }
  void print(const std::string& name, std::string_view backend, double worst) const {
    std::printf("%-36s worst: %.*s %.1e, float's rounding %.1e, bound %.1e\n", name.c_str(),
                static_cast<int>(backend.size()), backend.data(), worst, rounding, most);
  }
};

}  // namespace float_rounding
