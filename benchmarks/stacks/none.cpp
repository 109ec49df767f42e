#include "stacks.hpp"

void stacks::add_none() {
  add_policy<aila::integrate::None>("none");
}
