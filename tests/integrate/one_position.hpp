// A policy at one position, with random maps and parameters: what the identities of integration are tested on.
#pragma once

#include <aila/core/random.hpp>
#include <aila/integrate/policies.hpp>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace aila {

/// Policy P over a core of width d and Count earlier maps of that width.
template <class P, std::size_t Count, std::size_t d = 8>
struct OnePosition {
  using Own = Vector<d>;
  using Before = SameShapes<Own, Count>;
  using Part = Integration<P, Own, Before>;
  static constexpr std::size_t heads = Part::heads;
  static constexpr std::size_t items = Part::items;

  std::array<std::vector<double>, Part::tensors> tensor;
  std::vector<double> own = draw(100, d);
  std::array<std::vector<double>, Count> before;

  OnePosition() {
    for (std::size_t i = 0; i < Part::tensors; ++i) {
      tensor[i] = draw(i, Part::parameters[i].size());
      for (double& w : tensor[i]) w *= 0.35;  // about 1/sqrt(d), so that no weight is nearly 1
    }
    for (std::size_t i = 0; i < Count; ++i) before[i] = draw(200 + i, d);
  }

  static std::vector<double> draw(std::uint64_t number, std::size_t count) {
    const Random random(Seed{1}, Purpose::user, 0, number);
    std::vector<double> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = random.normal(0, i);
    return values;
  }

  /// a_j
  std::vector<double> result() const {
    const Call call(*this);
    std::vector<double> a(d);
    P::template forward<Own, Before>(own.data(), call.before.data(), call.weights(), a.data());
    return a;
  }
  /// [heads, items]
  std::vector<double> mixture() const {
    const Call call(*this);
    std::vector<double> weights(Part::mixture_weights);
    P::template mixture<Own, Before>(own.data(), call.before.data(), call.weights(), weights.data());
    return weights;
  }
  /// The gradient of each tensor, and of the core's output, for the gradient da of a_j.
  struct Slopes {
    std::array<std::vector<double>, Part::tensors> tensor;
    std::vector<double> own = std::vector<double>(d);
    constexpr void add(std::size_t number, std::size_t element, double value) { tensor[number][element] += value; }
  };
  Slopes backward(const std::vector<double>& da) const {
    const Call call(*this);
    Slopes slopes;
    for (std::size_t i = 0; i < Part::tensors; ++i) slopes.tensor[i].resize(tensor[i].size());
    std::array<std::vector<double>, Count> d_before;
    std::array<double*, Count> to{};
    for (std::size_t i = 0; i < Count; ++i) {
      d_before[i].resize(d);
      to[i] = d_before[i].data();
    }
    P::template backward<Own, Before>(own.data(), call.before.data(), call.weights(), da.data(), slopes.own.data(),
                                      to.data(), slopes);
    return slopes;
  }

 private:
  /// The tensors one after the other, as a policy sees them.
  struct Call {
    std::vector<double> all;
    std::array<std::uint32_t, Part::tensors + 1> offset{};
    std::array<const double*, Count> before{};
    explicit Call(const OnePosition& position) {
      for (std::size_t i = 0; i < Part::tensors; ++i) {
        offset[i] = static_cast<std::uint32_t>(all.size());
        all.insert(all.end(), position.tensor[i].begin(), position.tensor[i].end());
      }
      for (std::size_t i = 0; i < Count; ++i) before[i] = position.before[i].data();
    }
    Weights<double> weights() const { return {all.data(), offset.data()}; }
  };
};

/// max|a - b|; infinite where sizes differ.
inline double distance(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return 1e300;
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = math::abs(a[i] - b[i]);
    if (!(difference <= most)) most = difference;
  }
  return most;
}

/// matrix x for a matrix [rows, x.size()]
inline std::vector<double> product(const std::vector<double>& matrix, const std::vector<double>& x) {
  std::vector<double> y(matrix.size() / x.size());
  for (std::size_t r = 0; r < y.size(); ++r)
    for (std::size_t c = 0; c < x.size(); ++c) y[r] += matrix[r * x.size() + c] * x[c];
  return y;
}

}  // namespace aila
