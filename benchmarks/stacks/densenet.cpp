#include "stacks.hpp"

void stacks::add_densenet() {
  add_policy<aila::integrate::DenseNet>("densenet");
}
