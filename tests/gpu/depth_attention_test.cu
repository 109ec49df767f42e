// Attention over depth.
#include "stacks.hpp"

using namespace stacks;

TEST_CASE("attention over depth") {
  if (!gpu::is_there()) return;
  check<integrate::Attention<>>("attention");
  check<integrate::Attention<Heads<4>, TiedValues>>("attention, four heads, tied");
  check<integrate::Attention<Heads<2>, MeanOfHeads>>("attention, mean of heads");
  check<integrate::Attention<KeyWidth<6>>>("attention, keys of 6");
  gpu::compare_all<Wide<integrate::Attention<>>>("attention", {700});
  check_many<integrate::Attention<>, 12>("attention, many rows", 710);
  gpu::compare_all<Deep<integrate::Attention<>>>("attention, 18 layers", {5});
}
