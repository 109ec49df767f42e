// Where published connections begin, which of them are one, and that they go by steps, padded ones too, and over maps
// that become smaller; tools see them.
#include <aila/network/explain.hpp>
#include <aila/network/graph.hpp>
#include <aila/network/inspect.hpp>

#include "../gradients.hpp"
#include "../layer/padding.hpp"
#include "named.hpp"

namespace aila::connections {
namespace {

using namespace integrate;
using Double = backend::Reference<double>;

template <class P, class Core = Chain<aila::Linear<4>, Tanh>>
struct Net : Network<Sequence<3, 4>, Stack<P, Repeat<4, Core>, Epilogue<Identity>>> {};
template <class... L>
struct ResNet : Network<Sequence<3, 4>, Stack<None, Repeat<4, aila::Residual<L...>>, Epilogue<Identity>>> {};

/// A model of P with the cores of `from`.
template <class P, class Core = Chain<aila::Linear<4>, Tanh>, class From>
Model<Net<P, Core>, Double> with_cores_of(const Model<From, Double>& from) {
  Model<Net<P, Core>, Double> model{Seed{2}};
  take_weights(model, from,
               [](const std::string& name) { return name.find(".core.") != std::string::npos ? name : std::string(); });
  return model;
}

TEST_CASE("those that begin as the plain stack, in bits") {
  const Model<Net<None>, Double> plain{Seed{1}};
  const auto check = [&]<class P>(std::type_identity<P>) { CHECK(outputs(with_cores_of<P>(plain)) == outputs(plain)); };
  check(std::type_identity<InputMix>{});
  check(std::type_identity<Mudd<>>{});
  check(std::type_identity<StaticMudd<>>{});
  auto unet = with_cores_of<UNetSkips>(plain);
  CHECK(apart(outputs(unet), outputs(plain)) > 1e-3);
  set_weights(unet, "input.weight", {0});
  CHECK(outputs(unet) == outputs(plain));
}

TEST_CASE("those that begin as ResNet") {
  const Model<ResNet<aila::Linear<4>, Tanh>, Double> residual{Seed{1}};
  const auto check = [&]<class P>(std::type_identity<P>) {
    CHECK(apart(outputs(with_cores_of<P>(residual)), outputs(residual)) < 1e-14);
  };
  check(std::type_identity<DeepCrossAttention1<>>{});
  check(std::type_identity<DeepCrossAttention2<>>{});
  check(std::type_identity<DeltaAttentionResiduals<GainFromZero>>{});
  check(std::type_identity<DeltaAttentionResiduals<GainFromZero, InBlocks<3>>>{});
  auto third = with_cores_of<DeepCrossAttention<>>(residual);
  CHECK(apart(outputs(third), outputs(residual)) > 1e-4);
  set_weights(third, ".query", {0});  // the second
  CHECK(apart(outputs(third), outputs(residual)) < 1e-14);
}

TEST_CASE("attention residuals begin as the mean: ResNet, where cores norm what they read") {
  using Core = Chain<LayerNorm, aila::Linear<4>, Tanh>;
  const Model<ResNet<LayerNorm, aila::Linear<4>, Tanh>, Double> residual{Seed{1}};
  auto sum = outputs(with_cores_of<AttentionResiduals<>, Core>(residual));
  for (double& y : sum) y *= 5;
  CHECK(apart(sum, outputs(residual)) < 1e-3);  // but for the norm's eps
  CHECK(outputs(with_cores_of<AttentionResiduals<Heads<2>>, Core>(residual)) ==
        outputs(with_cores_of<AttentionResiduals<>, Core>(residual)));
}

static_assert(std::derived_from<LinearMixture<>, Mixture<ValuesOfEach, ScoreOfEach, MeanOfWeights>>);
static_assert(std::derived_from<LinearMixture<LearnedQuery>, Mixture<LearnedQuery, ValuesOfEach, MeanOfWeights>>);
static_assert(std::derived_from<AttentionMixture<WithOwn>, Mixture<WithOwn, SharedKeys<>, QueryOfOwn, ValuesOfEach>>);

// ---- one position, by hand
// ---------------------------------------------------------------------------------------------

using Own = Vector<4>;
using Before = SameShapes<Own, 3>;

/// a of four given items, the earlier ones all the same where `equal` says so, and weights all different, of which
/// `set` changes those of its name.
template <class P>
std::array<double, 4> mixed(const std::vector<std::pair<std::string, double>>& set = {}, bool equal = false) {
  constexpr auto specs = P::template parameters<Own, Before>();
  std::vector<double> numbers;
  std::vector<std::uint32_t> offsets;
  for (const ParameterSpec& spec : specs) {
    offsets.push_back(static_cast<std::uint32_t>(numbers.size()));
    std::size_t size = 1;
    for (std::size_t e = 0; e < spec.rank; ++e) size *= spec.extents[e];
    for (std::size_t i = 0; i < size; ++i) {
      double value = std::cos(1.7 * static_cast<double>(i) + static_cast<double>(std::string(spec.name).size()));
      for (const auto& [name, number] : set)
        if (name == spec.name) value = number;
      numbers.push_back(value);
    }
  }
  const auto x = inputs<double>(16);
  const std::array<const double*, 3> before{x.data() + 4, x.data() + (equal ? 4 : 8), x.data() + (equal ? 4 : 12)};
  std::array<double, 4> a{};
  std::vector<double> scratch(P::template scratch<Own, Before>);
  P::template forward<Own, Before>(x.data(), before.data(), Weights<double>(numbers.data(), offsets.data()), a.data(),
                                   scratch.data());
  return a;
}
double apart(const std::array<double, 4>& a, const std::array<double, 4>& b) {
  return aila::apart(std::vector<double>(a.begin(), a.end()), std::vector<double>(b.begin(), b.end()));
}
template <class... Axes>
using Scored = AttentionMixture<Heads<2>, Axes...>;

TEST_CASE("axes that do nothing where they say so") {
  const auto plain = mixed<Scored<>>();
  CHECK(apart(mixed<Scored<NullItem>>({{"null", -1e3}}), plain) < 1e-14);
  CHECK(apart(mixed<Scored<NullItem>>({{"null", 0}}), plain) > 1e-3);
  CHECK(apart(mixed<Scored<ItemBias>>({{"bias", 7}}), plain) < 1e-14);  // softmax alone: a constant changes nothing
  CHECK(apart(mixed<Scored<ItemBias>>(), plain) > 1e-3);
  CHECK(apart(mixed<Scored<Inhibition>>(), plain) < 1e-14);
  CHECK(apart(mixed<Scored<Inhibition, SigmoidWeights>>(), mixed<Scored<SigmoidWeights>>()) > 1e-3);
  CHECK(apart(mixed<Scored<LearnedTemperature>>({{"temperature", 0}, {"growth", -1e3}}), plain) < 1e-14);
  CHECK(apart(mixed<Scored<LearnedTemperature>>(), plain) > 1e-3);
  CHECK(apart(mixed<Scored<GatedPrior>>({{"gate", -1e3}}), plain) < 1e-14);
  CHECK(apart(mixed<Scored<TopWeights<3>>>(), plain) < 1e-14);
  CHECK(apart(mixed<Scored<TopWeights<2>>>(), plain) > 1e-3);
  CHECK(apart(mixed<Scored<GatedValues>>({{"value_gate", 0}}), plain) < 1e-14);
  CHECK(apart(mixed<Scored<GatedValues>>(), plain) > 1e-3);
}

TEST_CASE("what one axis is in terms of others") {
  using Prior = Scored<GatedPrior>;
  CHECK(apart(mixed<Prior>({{"gate", 1e3}, {"prior", 1}}), mixed<Scored<>>({{"query", 0}})) < 1e-14);
  // One greatest item at a time, and the null item's share of a mean.
  const auto three = mixed<Scored<>>({{"query", 0}}), four = mixed<Scored<NullItem>>({{"query", 0}, {"null", 0}});
  for (std::size_t f = 0; f < 4; ++f) CHECK(four[f] == doctest::Approx(three[f] * 3 / 4));
  // Equal keys are equally far.
  CHECK(apart(mixed<Scored<DistanceToOwn>>({{"key", 0}}), three) < 1e-14);
  CHECK(apart(mixed<Scored<RatioWeights, ItemBias>>({{"query", 0}, {"bias", 1e6}}), three) < 1e-9);
  // Three times the same item says it once: a third each, but for 1e-6.
  const auto once = mixed<Scored<LucidValues, SharedValues>>({}, true), thrice = mixed<Scored<SharedValues>>({}, true);
  for (std::size_t f = 0; f < 4; ++f) CHECK(once[f] == doctest::Approx(thrice[f] / 3).epsilon(1e-5));
  // Values beside the mixture.
  const auto sum = mixed<Mixture<PlusSum, LearnedGain>>({{"gain", 0}});
  const auto ones = mixed<Mixture<StaticScores<Start::ones>, SignedWeights>>({{"weight", 1}});
  CHECK(apart(sum, ones) < 1e-14);
}

// ---- by steps, and over other maps
// -------------------------------------------------------------------------------------

/// Queries, keys and values of maps of their own, each normed, and a residual of a fourth: what reads four ways.
template <std::size_t d, std::size_t H>
using BlockOfWays =
    Sum<Chain<Concat<Slice<0, d>, LayerNorm, aila::Linear<d>>, Concat<Slice<d, d>, LayerNorm, aila::Linear<d>>,
              Concat<Slice<2 * d, d>, LayerNorm, aila::Linear<d>>, Slice<4 * d, 3 * d>, Attend<H>, aila::Linear<d>>,
        Slice<3 * d, d>>;
struct Attentive : Network<Sequence<4, 4>, Stack<Mudd<4>, Repeat<2, BlockOfWays<4, 2>>, Epilogue<Identity>>> {};

TEST_CASE("blocks of attention read four ways") {
  CHECK(what_is_wrong(check_gradients<Attentive, void, Double>()) == "");
}

TEST_CASE("maps that become smaller are averaged over windows") {
  using In = Image<4, 4, 2>;
  CHECK(wrong_gradient<Stack<DeltaAttentionResiduals<>, Conv<2>, Conv<2, Stride<2>>, Conv<2>>, In, Double>() == "");
  CHECK(wrong_gradient<Stack<Mudd<>, Conv<2>, Conv<2, Stride<2>>, Conv<2>>, In, Double>() == "");
}

template <class P, class Core>
struct Deep : Network<Sequence<7, 4>, Stack<P, Repeat<4, Core>>, LastStep> {};
template <class Of>
void goes_by_steps() {
  Model<Of> model{Seed{3}};
  model.edit([](std::span<float> p) {
    for (std::size_t i = 0; i < p.size(); ++i) p[i] += 0.1F * static_cast<float>(i % 7);
  });
  const auto x = inputs<float>(7 * 4);
  Predictor predict{model};
  Stream stream{model};
  for (std::size_t t = 0; t < 7; ++t) {
    const auto y = stream.step(std::span<const float, 4>(x.data() + t * 4, 4));
    const auto expected = predict(x, static_cast<std::int32_t>(t + 1));
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == doctest::Approx(expected[i]).epsilon(1e-5));
  }
}
TEST_CASE("a stream of steps gives what the sequence gives") {
  goes_by_steps<Deep<UNetSkips, Lstm<4>>>();
  goes_by_steps<Deep<DeltaAttentionResiduals<InBlocks<2>, NullItem>, Lstm<4>>>();
  goes_by_steps<Deep<DeepCrossAttention<2, Ends<1>>, Sum<Chain<Slice<0, 4>, Lstm<4>>, Slice<4, 4>>>>();
}

struct Padded
    : Network<Sequence<padding::most, 4>, Stack<Mudd<2>, Repeat<2, Sum<Chain<Slice<0, 4>, Lstm<4>>, Slice<4, 4>>>>> {};
TEST_CASE("padded steps change no bit") {
  padding::check_batch<Padded, CpuFloat>();
}

TEST_CASE("tools show weights of ways, and what a null item takes") {
  const Model<Net<Mudd<2>, Sum<Chain<Slice<0, 4>, aila::Linear<4>>, Slice<4, 4>>>> ways{Seed{1}};
  const auto of_ways = mixture_weights(ways, inputs<float>(12));
  REQUIRE(of_ways.size() == 5);
  CHECK(of_ways[0].path == "stack.0.input");
  CHECK(of_ways[2].heads == 2);
  CHECK(of_ways[2].items == std::vector<std::string>{"input", "h_0", "h_1"});
  CHECK(of_ways[2].mean == std::vector<double>{0, 0, 1, 0, 0, 1});
  CHECK(of_ways[4].heads == 1);
  const Model<Net<DeltaAttentionResiduals<NullItem>>> null{Seed{1}};
  const auto of_null = mixture_weights(null, inputs<float>(12));
  for (const double weight : of_null.back().mean) CHECK(weight == doctest::Approx(1 / 6.0));
  CHECK(graph<Net<Mudd<>>>().find("stack.2.input\\nmudd") != std::string::npos);
}

}  // namespace
}  // namespace aila::connections
