// Published connections on the device, and what PyTorch makes of their formulas (tests/places/figures).
#include "figures.hpp"

using namespace aila;
using namespace integrate;

namespace {

template <class P>
struct Net : Network<Sequence<3, 4>, Stack<P, Repeat<4, Chain<aila::Linear<4>, Tanh>>, Epilogue<Identity>>> {};
template <class P>
void meets(const std::string& name) {
  device_figures::meets<Net<P>>(name, "places");
}

template <class P>
void meets_as_float_does(const std::string& name) {
  device_figures::meets_as_float_does<Net<P>>(name, "places");
}

}  // namespace

TEST_CASE("static mixtures meet their figures on the device") {
  if (!gpu::is_there()) return;
  meets<DynamicLinearCombination>("dynamic-linear-combination");
  meets<InputMix>("input-mix");
  meets<UNetSkips>("unet-skips");
  meets<DeepCrossAttention1<>>("deep-cross-attention-1");
  meets<DeepCrossAttention2<>>("deep-cross-attention-2");
  meets<StaticMudd<4>>("static-mudd-ways");
}

TEST_CASE("scored mixtures meet their figures on the device") {
  if (!gpu::is_there()) return;
  meets<AttentionResiduals<>>("attention-residuals");
  meets<AttentionResiduals<Heads<2>>>("attention-residuals-heads");
  meets<AttentionResiduals<InBlocks<3>>>("attention-residuals-blocks");
  meets_as_float_does<DeltaAttentionResiduals<InBlocks<2>, NullItem>>("delta-attention-residuals");
  meets<DeepCrossAttention<>>("deep-cross-attention-3");
  meets<DeepCrossAttention<1, Ends<1>>>("deep-cross-attention-ends");
  meets<DeepCrossAttention<3>>("deep-cross-attention-ways");
  meets<Mudd<>>("mudd");
  meets_as_float_does<Mudd<4>>("mudd-ways");
}

TEST_CASE("the two architectures with other axes meet their figures on the device") {
  if (!gpu::is_there()) return;
  meets<AttentionMixture<Heads<2>, TaskInQuery, ItemBias, LearnedTemperature, NullItem, OutputMap>>("mixture-queried");
  meets<AttentionMixture<KeysOfEach<3>, DistanceToOwn, GatedPrior, SharedValues>>("mixture-distant");
  meets<
      LinearMixture<Heads<2>, LearnedQuery, RmsKeys, LearnedItems<1>, Inhibition, GeluWeights, Concatenate, OutputMap>>(
      "mixture-inhibited");
  meets<LinearMixture<TopWeights<2>>>("mixture-greatest");
  meets_as_float_does<LinearMixture<LearnedQuery, ValuesOfItems, RatioWeights>>("mixture-ratio");
  meets_as_float_does<AttentionResiduals<Heads<2>, GatedValues, LucidValues>>("mixture-told-apart");
}

TEST_CASE("residual streams beside the cores meet their figures on the device") {
  if (!gpu::is_there()) return;
  meets<ReZero>("rezero");
  meets<Highway>("highway");
  meets<Laurel<ResidualWeights>>("laurel-weights");
  meets<Laurel<LowRank<2>>>("laurel-low-rank");
  meets_as_float_does<Laurel<ResidualWeights, LowRank<2>, Previous<3>>>("laurel-previous");
}
