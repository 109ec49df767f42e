// Published connections on wider stacks than their figures have, and on maps that become smaller.
#include "stacks.hpp"

using namespace stacks;

namespace {

using namespace integrate;

/// Of one step: a carried stream begins and ends there.
template <class Policy>
struct OneStep : Network<Sequence<1, 12>, Stack<Policy, Repeat<3, aila::Linear<12>>>> {};

/// Of maps of one size: sums of layers need them.
template <class Policy>
struct Level : Network<Image<6, 5, 8>, Stack<Policy, Repeat<3, Conv<8>>>> {};

template <class Policy>
void check_wide(const char* name) {
  gpu::compare_all<Wide<Policy>>(name, {1, 67});
}
template <class Policy>
void check_maps(const char* name) {
  gpu::compare_all<Maps<Policy>>(name, {1, 33});
}

}  // namespace

TEST_CASE("connections over 64 features") {
  if (!gpu::is_there()) return;
  check_wide<AttentionResiduals<GatedValues, LucidValues>>("attention residuals, told apart");
  check_wide<DeepCrossAttention<3>>("deep cross-attention");
  check_wide<Mudd<4>>("MUDD");
  check_wide<Highway>("highway");
  check_wide<Laurel<ResidualWeights, LowRank<8>, Previous<3>>>("LAuReL");
  check_wide<AttentionMixture<Heads<4>, TaskInQuery, ItemBias, LearnedTemperature, NullItem, OutputMap>>(
      "attention mixture");
}

TEST_CASE("connections over maps that become smaller") {
  if (!gpu::is_there()) return;
  check_maps<DynamicLinearCombination>("dynamic linear combination");
  check_maps<InputMix>("input mix");
  check_maps<UNetSkips>("U-net skips");
  check_maps<LinearMixture<Heads<2>, LearnedQuery, RmsKeys, GeluWeights, Concatenate, OutputMap>>("linear mixture");
}

TEST_CASE("connections over maps of one size") {
  if (!gpu::is_there()) return;
  gpu::compare_all<Level<DeltaAttentionResiduals<InBlocks<2>, NullItem>>>("delta attention residuals", {1, 33});
  gpu::compare_all<Level<ReZero>>("ReZero", {1, 33});
  gpu::compare_all<Level<DeepCrossAttention<1, Ends<1>>>>("deep cross-attention, ends", {1, 33});
}

TEST_CASE("connections over one step") {
  if (!gpu::is_there()) return;
  gpu::compare_all<OneStep<Highway>>("highway over one step");
  gpu::compare_all<OneStep<AttentionResiduals<Heads<2>>>>("attention residuals over one step");
  gpu::compare_all<OneStep<integrate::Attention<>>>("attention over one step");
}
