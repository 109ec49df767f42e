#include <doctest/doctest.h>

#include <aila/integrate/policies.hpp>
#include <aila/learn/check_loss_gradients.hpp>
#include <aila/learn/losses.hpp>
#include <limits>

#include "gradients.hpp"

namespace aila {
namespace {

constexpr double magnitude(double x) {
  return x < 0 ? -x : x;
}

TEST_CASE("a slope is compared to differences, and a kink is no mistake") {
  const auto error = [](auto f, double slope) { return detail::slope_error(f, slope, 1e-3, 1, 1e-7); };
  CHECK(error([](double t) { return 3 * t + t * t; }, 3) < 1e-9);
  CHECK(error([](double t) { return 3 * t + t * t; }, 3.00001) > 1e-6);
  CHECK(error([](double t) { return math::exp(t); }, 1) < 1e-9);
  CHECK(error([](double) { return 0.1; }, 0) == 0);
  CHECK(error([](double) { return 0.1; }, 1e-4) > 1e-2);
  CHECK(error([](double) { return std::numeric_limits<double>::quiet_NaN(); }, 0) > 1);
  CHECK(error([](double t) { return t; }, std::numeric_limits<double>::quiet_NaN()) > 1);

  for (const double kink : {1e-3, 4e-4, 1e-5, 1e-6, -1e-6, -1e-4}) {  // right there, within a step, on either side
    const auto f = [kink](double t) { return magnitude(t - kink) + t * t; };
    const double slope = kink > 0 ? -1 : 1;
    CHECK(error(f, slope) < 1e-7);
    CHECK(error(f, slope + 1e-4) > 1e-6);
    CHECK(error(f, 0.3) > 1e-6);
  }
  const auto at_zero = [](double t) { return math::max(t, 0.0) + 0.1 * t; };
  CHECK(error(at_zero, 0.1) < 1e-7);
  CHECK(error(at_zero, 1.1) < 1e-7);
  CHECK(error(at_zero, 0.6) == 0);
  CHECK(error(at_zero, 1.2) > 1e-2);
  CHECK(error(at_zero, -0.01) > 1e-2);
}

/// A layer with a weight, right but for what Mistake says.
enum class Mistake { none, input, weight, missing_weight, overwrites_gradient, leaves_output_alone };

template <Mistake mistake>
struct Scaling {
  static constexpr const char* name = "scaling";
  template <class In>
  using Out = In;
  template <class In>
  static consteval auto parameters() {
    return std::array{parameter("weight", {In::elements}, init::zeros())};
  }
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>> w, V* y) {
    for (std::size_t i = 0; i < In::elements; ++i)
      if (mistake != Mistake::leaves_output_alone || i > 0) y[i] = V(w[0][i]) * x[i] * x[i];
  }
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<ScalarOf<V>> w, const V* dy, V* dx, G& g) {
    using S = ScalarOf<V>;
    for (std::size_t i = 0; i < In::elements; ++i) {
      dx[i] += V(w[0][i]) * x[i] * dy[i] * V(S(mistake == Mistake::input && i == 2 ? 2.00001 : 2));
      if (mistake == Mistake::missing_weight && i == 1) continue;
      g.add(0, i, x[i] * x[i] * dy[i] * V(S(mistake == Mistake::weight && i == 1 ? 1.001 : 1)));
    }
  }
};

template <Mistake mistake>
GradientCheck check() {
  return check_gradients<Scaling<mistake>, Vector<4>>();
}

TEST_CASE("the gradient checker names the element that is wrong") {
  CHECK(check<Mistake::none>().ok);
  CHECK(check<Mistake::none>().worst < 1e-9);

  const GradientCheck input = check<Mistake::input>();
  CHECK_FALSE(input.ok);
  CHECK((input.where == "input[2]" || input.where == "input[6]" || input.where == "input[10]"));
  CHECK(input.worst == doctest::Approx(5e-6).epsilon(0.01));

  const GradientCheck weight = check<Mistake::weight>();
  CHECK_FALSE(weight.ok);
  CHECK(weight.where == "weight[1]");
  CHECK(weight.worst == doctest::Approx(1e-3).epsilon(0.01));

  const GradientCheck missing = check<Mistake::missing_weight>();
  CHECK_FALSE(missing.ok);
  CHECK(missing.where == "weight[1]");
  CHECK(missing.worst == doctest::Approx(1));
}

TEST_CASE("the gradient checker sees an output that the forward leaves alone") {
  CHECK_FALSE(check<Mistake::leaves_output_alone>().ok);
}

/// A kernel that writes its gradient where it has to add.
template <class In>
struct OverwritingKernel : BodyKernel<Scaling<Mistake::overwrites_gradient>, In, ReferenceDouble> {
  using Base = BodyKernel<Scaling<Mistake::overwrites_gradient>, In, ReferenceDouble>;
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<double> w, const double* packed, const double* x,
                                 const double* y, const double* dy, double* dx, Gradients<double> g,
                                 NothingSaved& saved, double* scratch) {
    if (g)
      for (std::size_t i = 0; i < In::elements; ++i) g[0][i] = 0;
    Base::template backward<C>(pass, w, packed, x, y, dy, dx, g, saved, scratch);
  }
};
template <class In>
OverwritingKernel<In> select_kernel(rank::Layer, Placed<Scaling<Mistake::overwrites_gradient>, In>, ReferenceDouble);

TEST_CASE("the gradient checker sees a backward that overwrites instead of adding") {
  const GradientCheck overwriting = check<Mistake::overwrites_gradient>();
  CHECK_FALSE(overwriting.ok);
  CHECK(overwriting.where.starts_with("parameters, backward twice"));
}

TEST_CASE("kinks within a step of some of a thousand elements are told from mistakes") {
  CHECK(wrong_gradient<Relu, Vector<1000>, ReferenceDouble>() == "");
}

/// Residual, with a gradient that is right up to two earlier layers.
struct WrongFromDepthFour : integrate::Policy {
  template <class Own, class Before, class V>
  static constexpr void forward(const V*, const V* const* before, Weights<ScalarOf<V>>, V* a) {
    for (std::size_t f = 0; f < Own::features; ++f) a[f] = before[0][f];
  }
  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V*, const V* const*, Weights<ScalarOf<V>>, const V* da, V*, V* const* d_before,
                                 G&) {
    for (std::size_t f = 0; f < Own::features; ++f) d_before[Before::count > 2 ? 1 : 0][f] += da[f];
  }
  template <class Own, class Before>
  static constexpr bool accepts = Before::features(0) == Own::features;
};

TEST_CASE("policies are checked at several depths") {
  const GradientCheck check = check_gradients<WrongFromDepthFour>();
  CHECK_FALSE(check.ok);
  CHECK(check.where.starts_with("depth 4: "));
  CHECK(check.where.find("core.linear.") != std::string::npos);
}

struct Doubled : MeanSquaredError {
  template <class Out, class V>
  constexpr V operator()(const V* output, const V* target, V* gradient) const {
    const V loss = MeanSquaredError::operator()<Out>(output, target, gradient);
    if (gradient != nullptr) gradient[1] = gradient[1] * V(ScalarOf<V>(1.01));
    return loss;
  }
};

TEST_CASE("a loss with a wrong gradient is refused") {
  const GradientCheck doubled = check_loss_gradients<Doubled, Vector<3>>();
  CHECK_FALSE(doubled.ok);
  CHECK(doubled.where == "output[1]");
}

}  // namespace
}  // namespace aila
