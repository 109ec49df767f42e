// What bodies of policies compute with small vectors: softmax, and products with a matrix.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>

#include "../contract/layer.hpp"
#include "../core/math.hpp"

namespace aila::inline v0::integrate {

/// In place over n scores; the largest is subtracted first.
template <class V>
constexpr void softmax(V* row, std::size_t n) {
  V largest = row[0];
  for (std::size_t i = 1; i < n; ++i) largest = math::max(largest, row[i]);
  V sum(ScalarOf<V>(0));
  for (std::size_t i = 0; i < n; ++i) sum += row[i] = math::exp(row[i] - largest);
  for (std::size_t i = 0; i < n; ++i) row[i] = row[i] / sum;
}

/// x Phi(x), and its slope; beyond 1000 Phi is 0 or 1, so that infinity does not meet a 0.
template <class V>
constexpr V gelu(V x) {
  using S = ScalarOf<V>;
  const V low = math::max(x, V(S(-1000)));
  return low * V(S(0.5)) * (V(S(1)) + math::erf(math::min(low, V(S(1000))) * V(S(0.70710678118654752440))));
}
template <class V>
constexpr V gelu_slope(V x) {
  using S = ScalarOf<V>;
  x = math::min(math::max(x, V(S(-1000))), V(S(1000)));
  return V(S(0.5)) * (V(S(1)) + math::erf(x * V(S(0.70710678118654752440)))) +
         x * V(S(0.39894228040143267794)) * math::exp(V(S(-0.5)) * x * x);
}

/// y = matrix x, matrix [rows, columns]
template <class V>
constexpr void product(const ScalarOf<V>* matrix, std::size_t rows, std::size_t columns, const V* x, V* y) {
  for (std::size_t r = 0; r < rows; ++r) {
    V sum(ScalarOf<V>(0));
    for (std::size_t c = 0; c < columns; ++c) sum += V(matrix[r * columns + c]) * x[c];
    y[r] = sum;
  }
}

/// dx += matrix^T dy, and the gradient of the matrix += dy x^T
template <class V, class G>
constexpr void product_backward(const ScalarOf<V>* matrix, std::size_t rows, std::size_t columns, const V* x,
                                const V* dy, V* dx, G& g, std::size_t tensor) {
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) {
      dx[c] += V(matrix[r * columns + c]) * dy[r];
      g.add(tensor, r * columns + c, dy[r] * x[c]);
    }
}

}  // namespace aila::inline v0::integrate

#include "../core/macros_back.hpp"
