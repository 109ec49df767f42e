#include "stacks.hpp"

void stacks::add_attention() {
  add_policy<aila::integrate::Attention<>>("attention");
}
