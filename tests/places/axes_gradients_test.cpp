// Mixtures of what published connections have beside the first axes: right gradients in plain numbers and registers.
#include <doctest/doctest.h>

#include <aila/integrate/policies.hpp>

#include "../gradients.hpp"

namespace aila::axes {
namespace {

using namespace integrate;
using enum Place;
template <class... Axes>
using Before = Mixture<AttachedAt<before>, Axes...>;

template <class P, class Backend>
std::string wrong() {
  using Net = Stack<P, Repeat<3, Chain<aila::Linear<4>, Tanh>>, Epilogue<Identity>>;
  return wrong_gradient<Net, Sequence<3, 4>, Backend>();
}

TEST_CASE_TEMPLATE("what is done to scores and to the sum", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong<Mixture<AttachedAt<readout>, SharedKeys<3>, QueryOfOwn, Heads<2>, ItemBias, NullItem, TaskInQuery,
                      LearnedTemperature, OutputMap>,
              Backend>() == "");
  CHECK(wrong<Mixture<KeysOfEach<2>, DistanceToOwn, SharedValues, Heads<2>, GatedPrior, OutputMap>, Backend>() == "");
}

TEST_CASE("normalisers that look at scores, and what is done before them") {
  using Backend = CpuDouble;
  CHECK(wrong<Before<RmsKeys, SmallQuery, GeluWeights, Inhibition, PlusSum, GainFromZero>, Backend>() == "");
  CHECK(wrong<Before<RmsKeys, ScoreOfEach, TopWeights<2>, PlusOwn, WithoutOwn, LearnedGain, Newest<2>>, Backend>() ==
        "");
  CHECK(wrong<Before<StaticScores<Start::mean>, RatioWeights, PlusOfChannels, LearnedGain>, Backend>() == "");
  CHECK(wrong<Before<EmittedScores, SignedWeights, Ends<1>>, Backend>() == "");
  CHECK(wrong<Before<EmittedScores, Heads<2>, MeanOfWeights, NullItem, InputAlone>, Backend>() == "");
}

TEST_CASE("values behind gates, and told apart") {
  using Backend = CpuDouble;
  CHECK(wrong<Before<RmsKeys, LearnedQuery, Heads<2>, GatedValues, LucidValues>, Backend>() == "");
  CHECK(wrong<AttentionMixture<LucidValues, SharedValues, GatedValues, WithOwn>, Backend>() == "");
}

}  // namespace
}  // namespace aila::axes
