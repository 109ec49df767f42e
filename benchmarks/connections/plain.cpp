#include "connections.hpp"

void connections::add_plain() {
  add_policy<aila::integrate::None>("none");
  add_blocks<aila::integrate::None>("none");
}
