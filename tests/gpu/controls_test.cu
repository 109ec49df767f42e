// The controls.
#include "stacks.hpp"

using namespace stacks;

TEST_CASE("controls") {
  if (!gpu::is_there()) return;
  check<integrate::None>("none");
  check<integrate::Residual>("residual");
  check<integrate::DenseNet>("DenseNet");
}
