// The list of all works.
#include "work.hpp"

namespace works {

#define NETWORK(task, policy) void add_##task##_##policy(Works&);
#include "networks.def"
#undef NETWORK

Works all_works() {
  Works works;
#define NETWORK(task, policy) add_##task##_##policy(works);
#include "networks.def"
#undef NETWORK
  add_convolutions(works);
  add_steps(works);
  add_products(works);
  return works;
}

}  // namespace works
