#include "connections.hpp"

void connections::add_dense_former() {
  add_policy<aila::integrate::DenseFormer<>>("dense_former");
}
