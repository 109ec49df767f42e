#include <doctest/doctest.h>

#include <aila/backend/cpu/simd/cpu.hpp>
#include <aila/backend/reference/reference.hpp>
#include <aila/core/arena.hpp>
#include <aila/learn/losses.hpp>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

using namespace aila;

namespace {

using Wide = long double;
/// Whether the references have the range that those of double need.
constexpr bool has_range = std::numeric_limits<Wide>::max_exponent > 2 * std::numeric_limits<double>::max_exponent;

/// Loss of one sample and its slopes.
struct Expected {
  Wide loss = 0;
  std::vector<Wide> slopes;
};

Wide error_of(Wide o, Wide t) {
  return o == t ? 0 : o - t;
}
Wide share_of(Wide share, Wide x) {
  return share == 0 && x == x ? 0 : share * x;
}
Wide log_one_plus_exp(Wide x) {
  return (x > 0 ? x : x == x ? 0 : x) + std::log1p(std::exp(-std::fabs(x)));
}

/// The mean of term(o, t) -> {loss, slope}.
template <class Term>
Expected mean_of(const std::vector<Wide>& o, const std::vector<Wide>& t, Term term) {
  Expected mean;
  const auto n = static_cast<Wide>(o.size());
  for (std::size_t i = 0; i < o.size(); ++i) {
    const auto [loss, slope] = term(o[i], t[i]);
    mean.loss += loss / n;
    mean.slopes.push_back(slope / n);
  }
  return mean;
}
struct Term {
  Wide loss, slope;
};

Expected expected(const MeanSquaredError&, const std::vector<Wide>& o, const std::vector<Wide>& t) {
  return mean_of(o, t, [](Wide a, Wide b) {
    const Wide e = error_of(a, b);
    return Term{e * e, 2 * e};
  });
}
Expected expected(const MeanAbsoluteError&, const std::vector<Wide>& o, const std::vector<Wide>& t) {
  return mean_of(o, t, [](Wide a, Wide b) {
    const Wide e = error_of(a, b);
    return Term{std::fabs(e), e > 0 ? 1 : e < 0 ? -1 : e};
  });
}
Expected expected(const Huber& loss, const std::vector<Wide>& o, const std::vector<Wide>& t) {
  return mean_of(o, t, [d = static_cast<Wide>(loss.delta)](Wide a, Wide b) {
    const Wide e = error_of(a, b), size = std::fabs(e);
    if (size > d) return Term{d * (size - d / 2), e > 0 ? d : -d};
    return Term{e * e / 2, e};
  });
}
Expected expected(const Quantile& loss, const std::vector<Wide>& o, const std::vector<Wide>& t) {
  return mean_of(o, t, [q = static_cast<Wide>(loss.q)](Wide a, Wide b) {
    const Wide e = error_of(b, a);
    return e > 0 ? Term{q * e, -q} : e < 0 ? Term{(q - 1) * e, 1 - q} : Term{e, e};
  });
}
Expected expected(const BinaryCrossEntropy& loss, const std::vector<Wide>& o, const std::vector<Wide>& t) {
  return mean_of(o, t, [eps = static_cast<Wide>(loss.label_smoothing)](Wide a, Wide b) {
    const Wide yes = (1 - eps) * b + eps / 2, no = (1 - eps) * (1 - b) + eps / 2;
    return Term{share_of(yes, log_one_plus_exp(-a)) + share_of(no, log_one_plus_exp(a)), 1 / (1 + std::exp(-a)) - yes};
  });
}
/// One position.
Expected expected(const CrossEntropy& loss, const std::vector<Wide>& o, const std::vector<Wide>& t) {
  const auto classes = static_cast<Wide>(o.size());
  const auto eps = static_cast<Wide>(loss.label_smoothing);
  const Wide largest = *std::max_element(o.begin(), o.end());
  Wide sum = 0;
  for (const Wide x : o) sum += x == largest ? 1 : std::exp(x - largest);
  Expected one;
  for (std::size_t k = 0; k < o.size(); ++k) {
    const Wide s = (static_cast<Wide>(k) == t[0] ? 1 - eps : 0) + eps / classes;
    const Wide minus_log = (o[k] == largest ? 0 : largest - o[k]) + std::log(sum);
    one.loss += share_of(s, minus_log);
    one.slopes.push_back(std::exp(-minus_log) - s);
  }
  return one;
}

/// `found` is `truth` rounded: beyond the range of Scalar infinity. `unit` is what an error is measured in where the
/// number itself is smaller.
template <class Scalar>
bool is(Scalar found, Wide truth, Wide unit) {
  using Limits = std::numeric_limits<Scalar>;
  if (truth != truth) return found != found;
  if (std::fabs(truth) > static_cast<Wide>(Limits::max()) * (1 + Wide(4) * Limits::epsilon()))
    return found == (truth > 0 ? Limits::infinity() : -Limits::infinity());
  const Wide tolerance = 16 * static_cast<Wide>(Limits::epsilon());
  return std::fabs(static_cast<Wide>(found) - truth) <=
         tolerance * std::max(unit, std::fabs(truth)) + 2 * static_cast<Wide>(Limits::denorm_min());
}

/// Samples of one loss: outputs and targets of each.
template <class Scalar>
struct Cases {
  std::vector<std::vector<Scalar>> outputs, targets;

  void add(std::vector<Scalar> o, std::vector<Scalar> t) {
    outputs.push_back(std::move(o));
    targets.push_back(std::move(t));
  }
};

/// All cases, as many at once as the backend has lanes, next to one another in every lane.
template <class Out, class Backend, class L>
void check(const L& loss, const Cases<typename Backend::Scalar>& cases, Wide loss_unit, Wide slope_unit) {
  using Scalar = typename Backend::Scalar;
  using Lane = Lanes<Backend>;
  using V = typename Lane::V;
  constexpr std::size_t lanes = Lane::count, targets = L::template targets<Out>;
  const auto room = [](std::size_t width) { return AlignedArray<Scalar>(width * lanes + 2 * alignment_elements); };
  AlignedArray<Scalar> o = room(Out::elements), t = room(targets), g = room(Out::elements), value = room(1);
  AlignedArray<Scalar> tile_o = room(Out::elements), tile_t = room(targets), tile_g = room(Out::elements);
  for (std::size_t first = 0; first < cases.outputs.size(); ++first) {
    const auto at = [&](std::size_t n) { return (first + n) % cases.outputs.size(); };
    for (std::size_t n = 0; n < lanes; ++n) {
      std::copy(cases.outputs[at(n)].begin(), cases.outputs[at(n)].end(), o.data() + n * Out::elements);
      std::copy(cases.targets[at(n)].begin(), cases.targets[at(n)].end(), t.data() + n * targets);
    }
    Lane::load_rows(o.data(), lanes, Out::elements, Lane::tile(tile_o.data()));
    Lane::load_rows(t.data(), lanes, targets, Lane::tile(tile_t.data()));
    const V* outputs = Lane::tile(tile_o.data());
    const V* target = Lane::tile(tile_t.data());
    const V both = loss.template operator()<Out>(outputs, target, Lane::tile(tile_g.data()));
    const V alone = loss.template operator()<Out>(outputs, target, static_cast<V*>(nullptr));
    Lane::store_rows(g.data(), lanes, Out::elements, Lane::tile(tile_g.data()));
    for (const V& result : {both, alone}) {
      Lane::store(value.data(), result);
      for (std::size_t n = 0; n < lanes; ++n) {
        const auto& own_o = cases.outputs[at(n)];
        const auto& own_t = cases.targets[at(n)];
        const Expected truth = expected(loss, {own_o.begin(), own_o.end()}, {own_t.begin(), own_t.end()});
        std::string numbers;
        for (const auto& list : {own_o, own_t})
          for (const Scalar x : list) numbers += std::to_string(x) + ' ';
        CAPTURE(numbers);
        CAPTURE(value.data()[n]);
        CHECK(is(value.data()[n], truth.loss, loss_unit));
        for (std::size_t i = 0; i < Out::elements; ++i) {
          CAPTURE(i);
          CAPTURE(g.data()[n * Out::elements + i]);
          CHECK(is(g.data()[n * Out::elements + i], truth.slopes[i], slope_unit));
        }
      }
    }
  }
}

template <class Out, class Scalar, class L>
void check_both(const L& loss, const Cases<Scalar>& cases, Wide loss_unit = 0, Wide slope_unit = 0) {
  check<Out, backend::Reference<Scalar>>(loss, cases, loss_unit, slope_unit);
  check<Out, backend::CpuOn<simd::DefaultArch, Scalar>>(loss, cases, loss_unit, slope_unit);
}

template <class Scalar>
constexpr Scalar inf = std::numeric_limits<Scalar>::infinity();
template <class Scalar>
constexpr Scalar most = std::numeric_limits<Scalar>::max();

/// Zero, tiny, ordinary and huge numbers of both signs.
template <class Scalar>
std::vector<Scalar> finite_numbers() {
  using Limits = std::numeric_limits<Scalar>;
  std::vector<Scalar> list{0};
  for (const Scalar x : {Limits::denorm_min(), Limits::min(), Scalar(1), Scalar(1e4), std::sqrt(most<Scalar>) / 2,
                         std::sqrt(most<Scalar>) * 3, most<Scalar> / 340, most<Scalar> / 2, most<Scalar>}) {
    list.push_back(x);
    list.push_back(-x);
  }
  return list;
}

/// One element, then three of which two stay ordinary, huge, or opposite.
template <class Scalar>
Cases<Scalar> one_number(bool infinite_targets) {
  Cases<Scalar> cases;
  auto outputs = finite_numbers<Scalar>();
  auto targets = finite_numbers<Scalar>();
  for (auto* list : {&outputs, &targets}) {
    if (list == &targets && !infinite_targets) continue;
    list->insert(list->end(), {inf<Scalar>, -inf<Scalar>});
  }
  for (const Scalar o : outputs)
    for (const Scalar t : targets) cases.add({o}, {t});
  cases.add({std::numeric_limits<Scalar>::quiet_NaN()}, {1});
  cases.add({inf<Scalar>}, {std::numeric_limits<Scalar>::quiet_NaN()});
  return cases;
}
template <class Scalar>
Cases<Scalar> three_numbers() {
  const Scalar top = most<Scalar>, root = std::sqrt(most<Scalar>),
               not_a_number = std::numeric_limits<Scalar>::quiet_NaN();
  Cases<Scalar> cases;
  cases.add({1, 2, 3}, {0, 2, 5});
  cases.add({top, top, top}, {0, 0, 0});
  cases.add({top, -top, top}, {0, 0, 0});
  cases.add({top, 0, 0}, {-top / 2, 0, 0});
  cases.add({-top, 1, 2}, {top / 4, 1, 0});
  cases.add({top, top, top}, {-top, -top, -top});
  cases.add({root, root / 2, root / 2}, {0, 0, 0});
  cases.add({root * Scalar(1.5), 0, 0}, {0, 0, 0});
  cases.add({inf<Scalar>, 1, 2}, {3, 1, 0});
  cases.add({inf<Scalar>, -inf<Scalar>, 0}, {0, 0, 0});
  cases.add({inf<Scalar>, 2, 3}, {inf<Scalar>, 0, 0});
  cases.add({inf<Scalar>, not_a_number, 3}, {inf<Scalar>, 0, 0});
  cases.add({top, top, not_a_number}, {0, 0, 0});
  return cases;
}

/// What a user's loss may be: a term and no more.
struct Plain {
  template <class Out>
  static constexpr bool accepts = RealShape<Out>;
  template <class Out>
  static constexpr std::size_t targets = Out::elements;
  template <class Out, class V>
  constexpr V operator()(const V* output, const V* target, V* gradient) const {
    return mean_over_elements<Out>(output, target, gradient, [](V o, V t) { return LossTerm<V>{math::abs(o - t), o}; });
  }
};

}  // namespace

TEST_CASE_TEMPLATE("losses of numbers are right to the ends of their range", Scalar, float, double) {
  if (!has_range) return;
  const auto ones = one_number<Scalar>(true);
  const auto threes = three_numbers<Scalar>();
  const auto each = [&](const auto& loss) {
    check_both<Vector<1>>(loss, ones);
    check_both<Vector<3>>(loss, threes);
  };
  each(MeanSquaredError{});
  each(MeanAbsoluteError{});
  for (const double delta : {1e-3, 1.0, 0.1 * static_cast<double>(most<Scalar>)}) each(Huber{.delta = delta});
  for (const double q : {0.001, 0.5, 0.9}) each(Quantile{.q = q});
}

TEST_CASE_TEMPLATE("a Huber loss whose delta is infinite is half the square", Scalar, float, double) {
  if (has_range)
    check_both<Vector<3>>(Huber{.delta = std::numeric_limits<double>::infinity()}, three_numbers<Scalar>());
}

TEST_CASE("an option that vanishes in float still lets an infinite error be infinite") {
  const float o[2]{inf<float>, -inf<float>}, t[2]{1, 1};
  float slope = 0;
  CHECK(Huber{.delta = 1e-60}.operator()<Vector<1>>(o, t, &slope) == inf<float>);
  CHECK(slope == 0);
  CHECK(Quantile{.q = 1e-60}.operator()<Vector<1>>(o + 1, t, &slope) == inf<float>);
  CHECK(slope == 0);
  CHECK(BinaryCrossEntropy{.label_smoothing = 1e-60}.operator()<Vector<1>>(o, t, &slope) == inf<float>);
  CHECK(slope == 0);
  const float logits[2]{0, -inf<float>}, first = 0;
  float slopes[2];
  CHECK(CrossEntropy{.label_smoothing = 1e-60}.operator()<Vector<2>>(logits, &first, slopes) == inf<float>);
  CHECK((slopes[0] == 0 && slopes[1] == 0));
}

TEST_CASE_TEMPLATE("binary cross-entropy of infinite and huge logits is its limit", Scalar, float, double) {
  Cases<Scalar> cases;
  auto logits = finite_numbers<Scalar>();
  logits.insert(logits.end(), {inf<Scalar>, -inf<Scalar>, Scalar(std::nan("")), Scalar(30), Scalar(-30)});
  for (const Scalar o : logits)
    for (const Scalar t : {Scalar(0), Scalar(0.25), Scalar(1), Scalar(std::nan(""))}) cases.add({o}, {t});
  Cases<Scalar> pairs;
  for (const Scalar top : {most<Scalar>, inf<Scalar>}) {
    pairs.add({top, -top}, {1, 0});
    pairs.add({top, top}, {1, 0});
    pairs.add({top, top}, {0, 0});
    pairs.add({-top, 0}, {0, Scalar(0.5)});
  }
  for (const double eps : {0.0, 0.2}) {
    // an answer against the logit's sign is measured beside it, one of a share in between beside 1
    check_both<Vector<1>>(BinaryCrossEntropy{.label_smoothing = eps}, cases, 1, 1);
    check_both<Vector<2>>(BinaryCrossEntropy{.label_smoothing = eps}, pairs, 1, 1);
  }
}

TEST_CASE_TEMPLATE("cross-entropy of masked, infinite and huge logits is its limit", Scalar, float, double) {
  const Scalar masked = -inf<Scalar>, sure = inf<Scalar>, top = most<Scalar>, tiny = std::numeric_limits<Scalar>::min();
  const Scalar not_a_number = std::numeric_limits<Scalar>::quiet_NaN();
  Cases<Scalar> cases;
  for (const Scalar y : {Scalar(0), Scalar(1), Scalar(2)}) {
    for (const std::vector<Scalar>& logits :
         std::vector<std::vector<Scalar>>{{1, 2, 3},
                                          {masked, 2, 3},
                                          {masked, masked, 3},
                                          {masked, masked, masked},
                                          {sure, 2, 3},
                                          {sure, 2, sure},
                                          {sure, sure, sure},
                                          {sure, masked, 0},
                                          {top, -top, 0},
                                          {-top, -top, -top},
                                          {top, top, masked},
                                          {top / 2, 0, -top / 2},
                                          {tiny, -tiny, std::numeric_limits<Scalar>::denorm_min()},
                                          {0, 0, 0},
                                          {not_a_number, masked, 0},
                                          {sure, masked, not_a_number}})
      cases.add(logits, {y});
  }
  for (const double eps : {0.0, 0.1, 0.75}) check_both<Vector<3>>(CrossEntropy{.label_smoothing = eps}, cases, 1, 1);
}

TEST_CASE_TEMPLATE("positions of cross-entropy keep what they are beside one without limits", Scalar, float, double) {
  const Scalar top = most<Scalar>;
  const Scalar first[3]{0, 1, 0};
  Scalar slopes[6];
  // the two distances of the largest number each have a third of the loss
  const Scalar far[6]{-top, 0, top, 0, 0, 0};
  CHECK(is(CrossEntropy{}.operator()<Sequence<3, 2>>(far, first, slopes), Wide(2) / 3 * Wide(top), 0));
  CHECK(is(slopes[0], Wide(-1) / 3, 1));
  CHECK(is(slopes[4], Wide(-1) / 6, 1));
  const Scalar masked[6]{0, -inf<Scalar>, -inf<Scalar>, 0, 1, -inf<Scalar>};
  CHECK(CrossEntropy{}.operator()<Sequence<3, 2>>(masked, first, slopes) == 0);
  for (const Scalar slope : slopes) CHECK(slope == 0);
  const Scalar wrong[6]{0, -inf<Scalar>, 0, -inf<Scalar>, 0, 0};
  CHECK(CrossEntropy{}.operator()<Sequence<3, 2>>(wrong, first, slopes) == inf<Scalar>);
  CHECK(is(slopes[3], Wide(-1) / 3, 1));
  CHECK(is(slopes[4], Wide(-1) / 6, 1));
}

TEST_CASE_TEMPLATE("the mean of a user's terms stays in range where their sum does not", Scalar, float, double) {
  const Scalar top = most<Scalar>;
  const Scalar o[3]{top, top, -top}, t[3]{0, 0, 0};
  Scalar slopes[3];
  CHECK(Plain{}.operator()<Vector<3>>(o, t, slopes) == top);
  CHECK(is(slopes[2], -Wide(top) / 3, 0));
}

TEST_CASE("losses at infinity are constant expressions where no operation is refused there") {
  constexpr double o[2]{0, -std::numeric_limits<double>::infinity()};
  constexpr double first = 0;
  static_assert(CrossEntropy{}.operator()<Vector<2>, double>(o, &first, nullptr) == 0);
}
