// Connections between layers: every policy of the library on sequences and images.
#include "compare.hpp"

using namespace aila;

namespace {
template <class Policy>
struct Wide : Network<Sequence<6, 64>, Stack<Policy, Repeat<4, Linear<64>>>> {};
template <class Policy>
struct Narrow : Network<Sequence<6, 3>, Stack<Policy, Linear<5>, Repeat<3, Linear<12>>>> {};
template <class Policy>
struct Narrowest : Network<Sequence<6, 3>, Stack<Policy, Repeat<4, Linear<12>>>> {};
template <class Policy>
struct Maps : Network<Image<8, 8, 8>, Stack<Policy, Conv<8>, Conv<8, Stride<2>>, Repeat<2, Conv<8>>>> {};
template <class Policy>
struct Deep : Network<Sequence<3, 8>, Stack<Policy, Repeat<18, Linear<8>>>> {};

template <class Policy>
void check(const char* name) {
  gpu::compare_all<Wide<Policy>>(name, {1, 67});
  gpu::compare_all<Narrowest<Policy>>(name, {1, 67});
  gpu::compare_all<Maps<Policy>>(name, {1, 67});
}
}  // namespace

TEST_CASE("controls") {
  if (!gpu::is_there()) return;
  check<integrate::None>("none");
  check<integrate::Residual>("residual");
  check<integrate::DenseNet>("DenseNet");
}
TEST_CASE("linear scores") {
  if (!gpu::is_there()) return;
  check<integrate::Linear<>>("linear");
  check<integrate::Linear<Heads<4>>>("linear, four heads");
  check<integrate::Linear<TaskEmbedding>>("linear, task");
  gpu::compare_all<Wide<integrate::Linear<>>>("linear", {700});
  gpu::compare_all<Deep<integrate::Linear<>>>("linear, 18 layers", {5});
}
TEST_CASE("attention over depth") {
  if (!gpu::is_there()) return;
  check<integrate::Attention<>>("attention");
  check<integrate::Attention<Heads<4>, TiedValues>>("attention, four heads, tied");
  check<integrate::Attention<Heads<2>, MeanOfHeads>>("attention, mean of heads");
  check<integrate::Attention<KeyWidth<6>>>("attention, keys of 6");
  gpu::compare_all<Wide<integrate::Attention<>>>("attention", {700});
  gpu::compare_all<Deep<integrate::Attention<>>>("attention, 18 layers", {5});
}
TEST_CASE("other places") {
  if (!gpu::is_there()) return;
  gpu::compare_all<Wide<integrate::DenseFormer<>>>("DenseFormer", {1, 67, 700});
  gpu::compare_all<Maps<integrate::DenseFormer<>>>("DenseFormer", {1, 67});
  gpu::compare_all<Deep<integrate::DenseFormer<2, 2>>>("DenseFormer, 18 layers", {5});
  gpu::compare_all<Wide<integrate::ElmoMix>>("ElmoMix", {1, 67});
  gpu::compare_all<Maps<integrate::ElmoMix>>("ElmoMix", {1, 67});
  gpu::compare_all<Wide<integrate::HyperConnections<2>>>("hyper-connections", {1, 67});
  gpu::compare_all<Wide<integrate::Together<integrate::DenseFormer<>, integrate::ElmoMix>>>("together", {1, 67});
}
