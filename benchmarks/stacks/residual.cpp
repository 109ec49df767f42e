#include "stacks.hpp"

void stacks::add_residual() {
  add_policy<aila::integrate::Residual>("residual");
}
