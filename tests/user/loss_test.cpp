// A loss of a user's.
#include <doctest/doctest.h>

#include <aila/learn/check_loss_gradients.hpp>

#include "gradients.hpp"
#include "samples.hpp"

namespace laboratory {

/// The mean of log cosh(s (o - t)) / s: squared near zero, absolute far away.
struct LogCosh {
  template <class Out>
  static constexpr bool accepts = aila::RealShape<Out>;
  template <class Out>
  static constexpr std::size_t targets = Out::elements;

  double sharpness = 1;

  void check() const {
    if (!(sharpness > 0)) throw aila::Error("LogCosh: sharpness must be above 0, it is " + std::to_string(sharpness));
  }
  template <class Out, class V>
  constexpr V operator()(const V* output, const V* target, V* gradient) const {
    const V s = aila::constant<V>(sharpness);
    return aila::mean_over_elements<Out>(output, target, gradient, [s](V o, V t) {
      const V e = s * (o - t), size = aila::math::abs(e);
      const V rest = aila::math::log(aila::constant<V>(1) + aila::math::exp(aila::constant<V>(-2) * size));
      return aila::LossTerm<V>{(size + rest - aila::constant<V>(0.6931471805599453)) / s, aila::math::tanh(e)};
    });
  }
};

struct Net : aila::Network<aila::Sequence<6, 2>, aila::Lstm<8>, aila::LastStep, aila::Linear<1>> {};

}  // namespace laboratory

namespace aila {
namespace {

static_assert(Loss<laboratory::LogCosh, Sequence<4, 3>> && !Loss<laboratory::LogCosh, Tokens<4>>);

TEST_CASE_TEMPLATE("a user's loss has a right gradient", Backend, ReferenceDouble, CpuDouble) {
  const laboratory::LogCosh loss{.sharpness = 1.5};
  CHECK(what_is_wrong(check_loss_gradients<laboratory::LogCosh, Vector<1>, Backend>(loss)) == "");
  CHECK(what_is_wrong(check_loss_gradients<laboratory::LogCosh, Sequence<4, 3>, Backend>(loss)) == "");
}

TEST_CASE("a user's loss is the formula") {
  const double o = 0.75, t = -1.25;
  double slope = 0;
  CHECK(laboratory::LogCosh{}.operator()<Vector<1>>(&o, &t, &slope) == doctest::Approx(std::log(std::cosh(2.0))));
  CHECK(slope == doctest::Approx(std::tanh(2.0)));
}

TEST_CASE_TEMPLATE("a user's loss trains", Backend, backend::Reference<float>, backend::Cpu, CpuDouble) {
  CHECK(improvement<laboratory::Net, Backend>(laboratory::LogCosh{.sharpness = 2}) < 0.5);
}

TEST_CASE("a user's loss refuses its own options") {
  Model<laboratory::Net> model;
  const auto samples = learnable_samples<NetworkInput<laboratory::Net>>(8);
  CHECK_THROWS_WITH_AS(fit(model, samples, laboratory::LogCosh{.sharpness = -1}),
                       "LogCosh: sharpness must be above 0, it is -1.000000", Error);
}

}  // namespace
}  // namespace aila
