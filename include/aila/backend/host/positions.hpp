// Learned and sinusoidal positions on the host: one addition an element, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <array>

#include "../../layer/positions.hpp"
#include "../kernel.hpp"

namespace aila::inline v0 {

template <class In, class Backend>
struct LearnedPositionsKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host learned positions";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  using S = typename Backend::Scalar;
  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t i = 0; i < In::elements; ++i) y[n * In::elements + i] = x[n * In::elements + i] + w[0][i];
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S> g, NothingSaved&, S*) {
    if (dx != nullptr)
      for (std::size_t i = 0; i < pass.samples * In::elements; ++i) dx[i] += dy[i];
    if (g)
      for (std::size_t n = 0; n < pass.samples; ++n)
        for (std::size_t i = 0; i < In::elements; ++i) g[0][i] += dy[n * In::elements + i];
  }
};

/// Row t + 1 of the table is row t turned by the angles w_i, in double: one product of complex numbers for two features
/// and a group of samples. After t steps the error is about t units in the last place of a double.
template <class In, class Backend>
struct SinusoidalPositionsKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host sinusoidal positions";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  using S = typename Backend::Scalar;
  static constexpr std::size_t pairs = (In::features + 1) / 2;
  /// Pairs that turn beside each other, on the stack: of wide maps one part of the features after the other.
  static constexpr std::size_t together = std::min<std::size_t>(pairs, 256);

  struct Turns {
    std::array<double, pairs> sine{}, cosine{};
  };
  /// Of the angles w_i, which are from 0 to 1: by their series, from the small terms up.
  static constexpr Turns turns = [] {
    Turns all;
    for (std::size_t i = 0; i < pairs; ++i) {
      constexpr double log_of_base = 9.210340371976182736;  // base 10000
      const double w = math::exp(-log_of_base * static_cast<double>(2 * i) / static_cast<double>(In::features));
      double sine = 1, cosine = 1;
      for (int k = 20; k > 0; k -= 2) {
        sine = 1 - sine * w * w / (k * (k + 1));
        cosine = 1 - cosine * w * w / (k * (k - 1));
      }
      all.sine[i] = w * sine;
      all.cosine[i] = cosine;
    }
    return all;
  }();

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    constexpr std::size_t rest = pairs % together;
    for (std::size_t first = 0; first + together <= pairs; first += together) turn<together>(pass.samples, first, x, y);
    if constexpr (rest > 0) turn<rest>(pass.samples, pairs - rest, x, y);
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    for (std::size_t i = 0; i < pass.samples * In::elements; ++i) dx[i] += dy[i];
  }

 private:
  /// The features of `Count` pairs from pair `first` on.
  template <std::size_t Count>
  static constexpr void turn(std::size_t samples, std::size_t first, const S* x, S* y) {
    std::array<double, Count> sine{}, cosine{};
    for (double& c : cosine) c = 1;
    const std::size_t features = std::min(2 * Count, In::features - 2 * first);
    for (std::size_t t = 0; t < In::positions; ++t) {
      std::array<S, 2 * Count> row{};
      for (std::size_t i = 0; i < Count; ++i) {
        const double s = sine[i], c = cosine[i];
        row[2 * i] = static_cast<S>(s);
        row[2 * i + 1] = static_cast<S>(c);
        sine[i] = s * turns.cosine[first + i] + c * turns.sine[first + i];
        cosine[i] = c * turns.cosine[first + i] - s * turns.sine[first + i];
      }
      for (std::size_t n = 0; n < samples; ++n) {
        const std::size_t at = (n * In::positions + t) * In::features + 2 * first;
        for (std::size_t f = 0; f < features; ++f) y[at + f] = x[at + f] + row[f];
      }
    }
  }
};

template <class In, HostBackend Backend>
LearnedPositionsKernel<In, Backend> select_kernel(rank::Layer, Placed<LearnedPositions, In>, Backend);
template <class In, HostBackend Backend>
SinusoidalPositionsKernel<In, Backend> select_kernel(rank::Layer, Placed<SinusoidalPositions, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
