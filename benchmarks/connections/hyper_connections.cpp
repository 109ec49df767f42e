#include "connections.hpp"

void connections::add_hyper_connections() {
  add_policy<aila::integrate::HyperConnections<2>>("hyper_connections_2");
}
