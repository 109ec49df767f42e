#include <doctest/doctest.h>

#include <aila/backend/cpu/simd/cpu.hpp>
#include <aila/learn/optimisers.hpp>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

using namespace aila;

namespace {

static_assert(Optimiser<Sgd> && Optimiser<Adam> && Optimiser<AdamW> && !Optimiser<int>);
static_assert(Sgd::moments == 1 && Adam::moments == 2 && AdamW::moments == 2);
static_assert(Sgd{}.learning_rate == 1e-2 && Adam{}.weight_decay == 0 && AdamW{}.weight_decay == 1e-2);
static_assert(detail::power(0.5, 10) == 1.0 / 1024 && detail::power(3, 0) == 1 && detail::power(1, ~0ULL) == 1);
static_assert(clip_factor(2, 0) == 1 && clip_factor(2, 3) == 1 && clip_factor(0, 1) == 1);

using Five = std::array<double, 5>;

/// Five steps of the optimiser from fixed parameters with fixed gradients, lanes of V at a time.
template <class V, class O>
std::vector<ScalarOf<V>> after_five_steps(const O& optimiser, bool decays = true, double gradient_scale = 1) {
  using Scalar = ScalarOf<V>;
  std::vector<Scalar> parameters{Scalar(0.5), Scalar(-1.0), Scalar(2.0), Scalar(0.0), Scalar(-0.25)};
  std::vector<Scalar> moments(5 * O::moments);
  std::array<Scalar*, O::moments> state;
  for (std::size_t m = 0; m < O::moments; ++m) state[m] = moments.data() + 5 * m;
  for (std::uint64_t t = 1; t <= 5; ++t) {
    const auto s = static_cast<double>(t);
    const Five g{0.3, -0.7, 0.05 * s, 0.2 * (3 - s), -0.01 * s * s};
    std::vector<Scalar> gradients;
    for (const double x : g) gradients.push_back(static_cast<Scalar>(x / gradient_scale));
    update<V>(
        optimiser,
        {.number = t, .learning_rate = optimiser.learning_rate, .decays = decays, .gradient_scale = gradient_scale},
        std::span(parameters), std::span<const Scalar>(gradients), state);
  }
  return parameters;
}

template <class O>
void check_figures(const O& optimiser, const Five& expected) {
  const auto check = [&](const auto& found, double tolerance) {
    for (std::size_t i = 0; i < 5; ++i) CHECK(std::fabs(static_cast<double>(found[i]) - expected[i]) <= tolerance);
  };
  check(after_five_steps<double>(optimiser), 1e-15);
  check(after_five_steps<float>(optimiser), 5e-7);
  check(after_five_steps<Lanes<backend::CpuDouble>::V>(optimiser), 1e-15);
  check(after_five_steps<Lanes<backend::Cpu>::V>(optimiser), 5e-7);
}

/// A user's optimiser without state: signed steps.
struct SignRule {
  double rate;
  template <class V>
  constexpr void operator()(V& parameter, V gradient, V*) const {
    const V up(static_cast<ScalarOf<V>>(rate));
    parameter = parameter - math::select(gradient > V(ScalarOf<V>(0)), up, -up);
  }
};
struct Sign {
  double learning_rate = 0.5;
  static constexpr std::size_t moments = 0;
  template <class Scalar>
  constexpr SignRule rule(const OptimiserStep& step) const {
    return {step.learning_rate};
  }
};
static_assert(Optimiser<Sign>);

}  // namespace

// The figures were computed by PyTorch 2.15 in float64.
TEST_CASE("SGD takes the steps of PyTorch") {
  check_figures(Sgd{}, {0.485, -0.965, 1.9925, 0, -0.2445});
  check_figures(
      Sgd{.momentum = 0.9, .weight_decay = 0.1},
      {0.45410408122009649, -0.89509504278879193, 1.9579475120219973, -0.015373723207604004, -0.23696795461230963});
  check_figures(
      Sgd{.momentum = 0.9, .nesterov = true, .weight_decay = 0.1},
      {0.44133550541661615, -0.86590972666655119, 1.9447711372061633, -0.013742527158188605, -0.23154858334358125});
}

TEST_CASE("Adam takes the steps of PyTorch") {
  check_figures(Adam{.learning_rate = 1e-2}, {0.45000000166666676, -0.95000000071428581, 1.9514916958693052,
                                              -0.028056444198251009, -0.2050662534873309});
  check_figures(
      Adam{.learning_rate = 1e-2, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-6, .weight_decay = 0.1},
      {0.45002045117193756, -0.95000888227555991, 1.9494242302849221, -0.024565891857893742, -0.20105044415883683});
}

TEST_CASE("AdamW takes the steps of PyTorch") {
  check_figures(AdamW{.learning_rate = 1e-2}, {0.44976005066138375, -0.94951009970419353, 1.9505016668213826,
                                               -0.028047906278646593, -0.20495052860725871});
  check_figures(
      AdamW{.learning_rate = 1e-2, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-6, .weight_decay = 0.1},
      {0.44760506138560158, -0.9451099613407441, 1.940551745535346, -0.024655306516659519, -0.20218036493302788});
}

TEST_CASE("a range without decay is updated as if weight decay were 0") {
  CHECK(after_five_steps<double>(AdamW{.weight_decay = 0.3}, false) ==
        after_five_steps<double>(AdamW{.weight_decay = 0}));
  CHECK(after_five_steps<double>(Adam{.weight_decay = 0.3}, false) == after_five_steps<double>(Adam{}));
  CHECK(after_five_steps<double>(Sgd{.weight_decay = 0.3}, false) == after_five_steps<double>(Sgd{}));
  CHECK(after_five_steps<double>(AdamW{.weight_decay = 0.3}, true) !=
        after_five_steps<double>(AdamW{.weight_decay = 0}));
}

TEST_CASE("the gradient scale multiplies the gradients first") {
  // a power of two: exact
  CHECK(after_five_steps<double>(AdamW{}, true, 0.25) == after_five_steps<double>(AdamW{}));
  CHECK(after_five_steps<float>(Sgd{.momentum = 0.5}, true, 8) == after_five_steps<float>(Sgd{.momentum = 0.5}));
}

TEST_CASE_TEMPLATE("an element is updated to the same bits wherever its range begins and ends", Scalar, float, double) {
  using Batch = simd::Value<Scalar, simd::DefaultArch>;
  constexpr std::size_t count = 37;
  const OptimiserStep step{.number = 3, .learning_rate = 0.1};
  std::vector<Scalar> gradients(count);
  for (std::size_t i = 0; i < count; ++i) gradients[i] = static_cast<Scalar>(std::sin(static_cast<double>(i)));
  const auto run = [&](std::size_t cut) {
    std::vector<Scalar> p(count, Scalar(1));
    std::vector<Scalar> m(count, Scalar(0.25));
    std::vector<Scalar> v(count, Scalar(0.5));
    const std::span<const Scalar> g(gradients);
    update<Batch>(Adam{}, step, std::span(p).first(cut), g.first(cut), {m.data(), v.data()});
    update<Batch>(Adam{}, step, std::span(p).subspan(cut), g.subspan(cut), {m.data() + cut, v.data() + cut});
    p.insert(p.end(), m.begin(), m.end());
    p.insert(p.end(), v.begin(), v.end());
    return p;
  };
  const auto whole = run(0);
  for (std::size_t cut = 1; cut <= count; ++cut) CHECK(run(cut) == whole);
}

TEST_CASE("gaps of zeros stay zero") {
  std::array<float, 20> zeros{};
  std::array<float, 20> first{};
  std::array<float, 20> second{};
  const std::array<float, 20> gradients{};
  for (std::uint64_t t = 1; t <= 3; ++t)
    update<float>(AdamW{}, {.number = t, .learning_rate = 0.1}, std::span<float>(zeros),
                  std::span<const float>(gradients), {first.data(), second.data()});
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(zeros[i] == 0);
    CHECK(second[i] == 0);
  }
}

TEST_CASE("a user's optimiser needs a rule and no state") {
  std::array<double, 3> p{1, 2, 3};
  const std::array<double, 3> g{0.1, -7, 2};
  update<double>(Sign{}, {.learning_rate = 0.5}, std::span<double>(p), std::span<const double>(g), {});
  CHECK(p == std::array<double, 3>{0.5, 2.5, 2.5});
}

TEST_CASE("options of an optimiser that are out of range are refused") {
  CHECK_NOTHROW(Sgd{.momentum = 0.9, .nesterov = true}.check());
  CHECK_THROWS_AS(Sgd{.nesterov = true}.check(), Error);
  CHECK_THROWS_AS(Sgd{.momentum = 1}.check(), Error);
  CHECK_THROWS_AS(Sgd{.learning_rate = std::nan("")}.check(), Error);
  CHECK_NOTHROW(Adam{}.check());
  CHECK_THROWS_WITH_AS(Adam{.beta1 = 1}.check(), "Adam: beta1 must be at least 0 and less than 1, it is 1.000000",
                       Error);
  CHECK_THROWS_AS(Adam{.epsilon = 0}.check(), Error);
  CHECK_THROWS_AS(AdamW{.weight_decay = -1}.check(), Error);
  CHECK_THROWS_WITH_AS(AdamW{.beta2 = -1}.check(), "AdamW: beta2 must be at least 0 and less than 1, it is -1.000000",
                       Error);
}

TEST_CASE("the gradient norm is summed in double") {
  const std::vector<float> small{3, 4, 12};
  CHECK(gradient_norm(std::span<const float>(small)) == 13);
  std::vector<float> many(1003, 1.0F);
  many[500] = 1e6F;  // its square swallows the ones in float, not in double
  CHECK(gradient_norm(std::span<const float>(many)) == std::sqrt(1e12 + 1002));
  CHECK(gradient_norm(std::span<const double>()) == 0);
  const std::vector<float> large(16, std::numeric_limits<float>::max());
  CHECK(gradient_norm(std::span<const float>(large)) ==
        doctest::Approx(4.0 * static_cast<double>(std::numeric_limits<float>::max())));
}

TEST_CASE("the clip factor brings a gradient to the maximum norm, as PyTorch does") {
  CHECK(clip_factor(13, 1) == doctest::Approx(0.92307686805725098 / 12).epsilon(1e-7));
  CHECK(clip_factor(0.5, 1) == 1);
  CHECK(clip_factor(std::numeric_limits<double>::infinity(), 1) == 0);
  CHECK(clip_factor(std::nan(""), 1) == 1);
}
