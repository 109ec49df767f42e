// Bodies of a user's that take scratch memory, and those that do not take what they may.
#include <doctest/doctest.h>

#include <aila/integrate/policies.hpp>

#include "gradients.hpp"

namespace observatory {

using aila::ScalarOf;
using aila::Weights;

/// y_i = the sum of x_k^2 over k <= i, by way of the squares: wants memory in both directions.
struct RunningSquares {
  static constexpr const char* name = "running_squares";
  static constexpr bool position_wise = true;
  template <class In>
  using Out = In;
  template <class In>
  static constexpr std::size_t scratch = In::features;

  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>>, V* y, V* squares) {
    for (std::size_t i = 0; i < In::features; ++i) squares[i] = x[i] * x[i];
    for (std::size_t i = 0; i < In::features; ++i) y[i] = i > 0 ? y[i - 1] + squares[i] : squares[i];
  }
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<ScalarOf<V>>, const V* dy, V* dx, G&, V* sums) {
    for (std::size_t i = In::features; i-- > 0;) sums[i] = i + 1 < In::features ? sums[i + 1] + dy[i] : dy[i];
    for (std::size_t i = 0; i < In::features; ++i) dx[i] += V(2) * x[i] * sums[i];
  }
};

/// May take memory, and takes it in one direction.
struct Squares : RunningSquares {
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>>, V* y) {
    for (std::size_t i = 0; i < In::features; ++i) y[i] = x[i] * x[i];
  }
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<ScalarOf<V>>, const V* dy, V* dx, G&, V* twice) {
    for (std::size_t i = 0; i < In::features; ++i) twice[i] = V(2) * x[i];
    for (std::size_t i = 0; i < In::features; ++i) dx[i] += twice[i] * dy[i];
  }
};

/// May take memory, of which there is none.
struct Doubled {
  template <class In>
  using Out = In;
  template <class In>
  static constexpr std::size_t scratch = 0;
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>>, V* y, V*) {
    for (std::size_t i = 0; i < In::elements; ++i) y[i] = x[i] + x[i];
  }
  template <class In, class V, class G>
  static constexpr void backward(const V*, Weights<ScalarOf<V>>, const V* dy, V* dx, G&) {
    for (std::size_t i = 0; i < In::elements; ++i) dx[i] += dy[i] + dy[i];
  }
};

/// a_j = u times the square of y_j, by way of the squares.
struct OwnSquares : aila::integrate::Policy {
  template <class Own, class Before>
  static consteval auto parameters() {
    return std::array{aila::parameter("factor", {Own::features}, aila::init::ones())};
  }
  template <class Own, class Before>
  static constexpr std::size_t scratch = Own::features;
  template <class Own, class Before, class V>
  static constexpr void forward(const V* own, const V* const*, Weights<ScalarOf<V>> w, V* a, V* squares) {
    for (std::size_t f = 0; f < Own::features; ++f) squares[f] = own[f] * own[f];
    for (std::size_t f = 0; f < Own::features; ++f) a[f] = V(w[0][f]) * squares[f];
  }
  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V* own, const V* const*, Weights<ScalarOf<V>> w, const V* da, V* d_own,
                                 V* const*, G& g, V* scaled) {
    for (std::size_t f = 0; f < Own::features; ++f) scaled[f] = da[f] * own[f];
    for (std::size_t f = 0; f < Own::features; ++f) {
      g.add(0, f, scaled[f] * own[f]);
      d_own[f] += V(2) * V(w[0][f]) * scaled[f];
    }
  }
};

/// The library's policy by hand, as policies were written that knew of no scratch memory.
struct HalfOfLinear : aila::integrate::Linear<> {
  using Whole = aila::integrate::Linear<>;
  template <class Own, class Before, class V>
  static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* a) {
    Whole::forward<Own, Before>(own, before, w, a);
    for (std::size_t f = 0; f < Own::features; ++f) a[f] = a[f] * V(ScalarOf<V>(0.5));
  }
  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, const V* da, V* d_own,
                                 V* const* d_before, G& g) {
    V half[Own::features];
    for (std::size_t f = 0; f < Own::features; ++f) half[f] = da[f] * V(ScalarOf<V>(0.5));
    Whole::backward<Own, Before>(own, before, w, static_cast<const V*>(half), d_own, d_before, g);
  }
};

}  // namespace observatory

namespace aila {
namespace {

TEST_CASE_TEMPLATE("bodies that take scratch memory have right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<observatory::RunningSquares, Sequence<5, 3>, Backend>() == "");
  CHECK(wrong_gradient<observatory::Squares, Sequence<5, 3>, Backend>() == "");
  CHECK(wrong_gradient<observatory::Doubled, Sequence<5, 3>, Backend>() == "");
}
TEST_CASE_TEMPLATE("policies that take scratch memory have right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<observatory::OwnSquares, void, Backend>() == "");
  CHECK(wrong_gradient<observatory::HalfOfLinear, void, Backend>() == "");
}

/// A body that takes what it does not ask for is none: nobody would know how much.
struct Greedy {
  template <class In>
  using Out = In;
  template <class In, class V>
  static constexpr void forward(const V*, Weights<ScalarOf<V>>, V*, V*) {}
};
static_assert(!ForwardBody<Greedy, Vector<3>, double>);
static_assert(ForwardBody<observatory::RunningSquares, Vector<3>, double>);
static_assert(BackwardBody<observatory::RunningSquares, Vector<3>, double>);

constexpr double third_slope_of_softmax() {
  using In = Vector<3>;
  const double x[3] = {0, 0, 0}, dy[3] = {0, 0, 9};
  double dx[3] = {1, 1, 1};
  TileGradient<double> nobody{{nullptr, nullptr}};
  Softmax::backward<In>(&x[0], Weights<double>(nullptr, nullptr), &dy[0], &dx[0], nobody);
  return dx[2];
}
static_assert(math::abs(third_slope_of_softmax() - 3) < 1e-15, "a body may be called by hand, in constants too");

}  // namespace
}  // namespace aila
