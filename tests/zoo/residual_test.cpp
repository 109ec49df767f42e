// Residual networks against PyTorch's.
#include "check.hpp"

using namespace aila;

TEST_CASE("a residual network over steps agrees with PyTorch's") {
  zoo_check::check<zoo::ResidualCnn1d<Sequence<9, 3>, 2, 6>>("residual_cnn_1d");
}

TEST_CASE("ResNet-20 agrees with PyTorch's") {
  zoo_check::check<zoo::ResNet<20, Image<16, 16, 3>>>("res_net_20");
}
