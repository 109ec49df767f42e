// Linear scores over depth.
#include "stacks.hpp"

using namespace stacks;

TEST_CASE("linear scores") {
  if (!gpu::is_there()) return;
  check<integrate::Linear<>>("linear");
  check<integrate::Linear<Heads<4>>>("linear, four heads");
  check<integrate::Linear<TaskEmbedding>>("linear, task");
  check<integrate::Linear<Heads<2>, Score<Context>>>("linear, context");
  gpu::compare_all<Wide<integrate::Linear<>>>("linear", {700});
  gpu::compare_all<Wide<integrate::Linear<Heads<4>>>>("linear, four heads", {345, 700});  // many rows
  check_many<integrate::Linear<Heads<4>>, 64>("linear, few maps", 345);
  check_many<integrate::Linear<>, 12>("linear, many rows", 710);
  gpu::compare_all<Deep<integrate::Linear<>>>("linear, 18 layers", {5});
}
