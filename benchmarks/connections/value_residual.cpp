#include "connections.hpp"

void connections::add_value_residual() {
  add_blocks<aila::integrate::ValueResidual>("value_residual");
}
