// Stacks on the device, and PyTorch's figures of them (tests/figures/data): the policies of the two architectures,
// their options and the controls, recurrent and through convolutions.
#include "figures.hpp"

using namespace aila;
using device_figures::meets_stack;
using integrate::Attention, integrate::DenseNet, integrate::None;

namespace {

template <class Policy>
struct Steps : Network<Sequence<5, 2>, Stack<Policy, Repeat<4, Lstm<8>>>> {};
template <class Policy>
struct Maps : Network<Image<8, 8, 3>, Stack<Policy, Conv<4>, Conv<4, Stride<2>>, Conv<4>, Conv<4, Stride<2>>>> {};

template <class Policy, class PolicyOfMaps = Policy>
void meet(const std::string& name) {
  meets_stack<Steps<Policy>>("lstm-" + name + "-depth4");
  meets_stack<Maps<PolicyOfMaps>>("conv-" + name + "-depth4");
}

}  // namespace

TEST_CASE("stacks under the controls meet their figures on the device") {
  if (!gpu::is_there()) return;
  meet<None>("none");
  meet<integrate::Residual>("residual");
  meet<DenseNet>("densenet");
}

TEST_CASE("stacks under linear scores meet their figures on the device") {
  if (!gpu::is_there()) return;
  meet<integrate::Linear<>>("linear1");
  meet<integrate::Linear<Heads<4>>>("linear4");
  meet<integrate::Linear<Heads<2>, Score<Context>>>("linearcontext");
  meets_stack<Steps<integrate::Linear<Heads<2>, TaskEmbedding>>>("lstm-lineartask-depth4");
}

TEST_CASE("stacks under attention over depth meet their figures on the device") {
  if (!gpu::is_there()) return;
  meet<Attention<KeyWidth<6>>, Attention<KeyWidth<2>>>("attention1");
  meet<Attention<Heads<2>, KeyWidth<3>>, Attention<Heads<2>, KeyWidth<2>>>("attention2");
  meet<Attention<Heads<2>, KeyWidth<4>, MeanOfHeads>, Attention<Heads<2>, KeyWidth<2>, MeanOfHeads>>("attentionmean");
  meet<Attention<KeyWidth<8>, TiedValues>, Attention<KeyWidth<2>, TiedValues>>("attentiontied");
}
