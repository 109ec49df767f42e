// Connections at other places than behind the cores.
#include "stacks.hpp"

using namespace stacks;

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
