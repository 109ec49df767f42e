// DenseNet-BC against PyTorch's.
#include "check.hpp"

TEST_CASE("DenseNet-BC (100, 12) agrees with PyTorch's") {
  zoo_check::check<aila::zoo::DenseNetBc<100, 12, aila::Image<8, 8, 3>>>("dense_net_bc_100_12");
}
