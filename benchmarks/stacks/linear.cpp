#include "stacks.hpp"

void stacks::add_linear() {
  add_policy<aila::integrate::Linear<aila::Heads<4>>>("linear4");
}
