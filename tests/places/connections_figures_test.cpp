// Published connections against figures that PyTorch made of their formulas (figures/make_connections.py).
#include "../layer/figures.hpp"

#include <aila/integrate/policies.hpp>

namespace aila::connections_figures {
namespace {

using namespace integrate;

template <class P, class Core = Chain<aila::Linear<4>, Tanh>>
struct Net : Network<Sequence<3, 4>, Stack<P, Repeat<4, Core>, Epilogue<Identity>>> {};
template <class P>
void check(const std::string& name) {
  layer_figures::check_in_double<Net<P>>(name, "places");
}

TEST_CASE("static mixtures") {
  check<DynamicLinearCombination>("dynamic-linear-combination");
  check<InputMix>("input-mix");
  check<UNetSkips>("unet-skips");
  check<DeepCrossAttention1<>>("deep-cross-attention-1");
  check<DeepCrossAttention2<>>("deep-cross-attention-2");
  check<StaticMudd<4>>("static-mudd-ways");
}

TEST_CASE("scored mixtures") {
  check<AttentionResiduals<>>("attention-residuals");
  check<AttentionResiduals<Heads<2>>>("attention-residuals-heads");
  check<AttentionResiduals<InBlocks<3>>>("attention-residuals-blocks");
  check<DeltaAttentionResiduals<InBlocks<2>, NullItem>>("delta-attention-residuals");
  check<DeepCrossAttention<>>("deep-cross-attention-3");
  check<DeepCrossAttention<1, Ends<1>>>("deep-cross-attention-ends");
  check<DeepCrossAttention<3>>("deep-cross-attention-ways");
  check<Mudd<>>("mudd");
  layer_figures::check<Net<Mudd<4>>>("mudd-ways", "places");
}

TEST_CASE("the two architectures with other axes") {
  check<AttentionMixture<Heads<2>, TaskInQuery, ItemBias, LearnedTemperature, NullItem, OutputMap>>("mixture-queried");
  check<AttentionMixture<KeysOfEach<3>, DistanceToOwn, GatedPrior, SharedValues>>("mixture-distant");
  check<
      LinearMixture<Heads<2>, LearnedQuery, RmsKeys, LearnedItems<1>, Inhibition, GeluWeights, Concatenate, OutputMap>>(
      "mixture-inhibited");
  check<LinearMixture<TopWeights<2>>>("mixture-greatest");
  check<LinearMixture<LearnedQuery, ValuesOfItems, RatioWeights>>("mixture-ratio");
  check<AttentionResiduals<Heads<2>, GatedValues, LucidValues>>("mixture-told-apart");
}

}  // namespace
}  // namespace aila::connections_figures
