#include "connections.hpp"

void connections::add_elmo_mix() {
  add_policy<aila::integrate::ElmoMix>("elmo_mix");
}
