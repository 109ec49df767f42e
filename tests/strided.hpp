// A layer as a user writes it, with fewer positions out than in: stacks of it have maps of different sizes.
#pragma once

#include <aila/contract/layer.hpp>
#include <aila/core/math.hpp>
#include <array>
#include <cstddef>
#include <type_traits>

namespace aila {

/// y[q, o] = sum over the window of 2 (or 2 x 2) positions k that q stands for and features f of w[o, k, f] x[k, f].
template <std::size_t Features>
struct Halving {
  static constexpr const char* name = "halving";

  template <class In>
  struct Shapes;
  template <std::size_t T, std::size_t F>
  struct Shapes<Shape<T, F>> {
    using Out = Shape<T / 2, Features>;
    static constexpr std::size_t window(std::size_t q, std::size_t k) { return 2 * q + k; }
  };
  template <std::size_t H, std::size_t W, std::size_t F>
  struct Shapes<Shape<H, W, F>> {
    using Out = Shape<H / 2, W / 2, Features>;
    static constexpr std::size_t window(std::size_t q, std::size_t k) {
      return (q / (W / 2) * 2 + k / 2) * W + q % (W / 2) * 2 + k % 2;
    }
  };
  template <class In>
  using Out = typename Shapes<In>::Out;
  template <class In>
  static constexpr std::size_t taps = In::rank == 2 ? 2 : 4;

  template <class In>
  static consteval auto parameters() {
    return std::array{parameter("weight", {Features, taps<In>, In::features}, init::torch_uniform(In::features))};
  }

  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>> w, V* y) {
    for (std::size_t i = 0; i < Out<In>::elements; ++i) y[i] = V(ScalarOf<V>(0));
    for_each<In>([&](std::size_t to, std::size_t from, std::size_t weight) { y[to] += V(w[0][weight]) * x[from]; });
  }
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<ScalarOf<V>> w, const V* dy, V* dx, G& g) {
    for_each<In>([&](std::size_t to, std::size_t from, std::size_t weight) {
      dx[from] += V(w[0][weight]) * dy[to];
      g.add(0, weight, dy[to] * x[from]);
    });
  }

 private:
  template <class In, class F>
  static constexpr void for_each(F&& f) {
    for (std::size_t q = 0; q < Out<In>::positions; ++q)
      for (std::size_t o = 0; o < Features; ++o)
        for (std::size_t k = 0; k < taps<In>; ++k)
          for (std::size_t i = 0; i < In::features; ++i)
            f(q * Features + o, Shapes<In>::window(q, k) * In::features + i, (o * taps<In> + k) * In::features + i);
  }
};

}  // namespace aila
