// The zoo's largest networks on the device, and PyTorch's figures of them.
#include "figures.hpp"

using namespace aila;

TEST_CASE("DenseNet-BC and EfficientNet-B0 meet PyTorch's figures on the device") {
  if (!gpu::is_there()) return;
  device_figures::meets_whole<zoo::DenseNetBc<100, 12, Image<8, 8, 3>>>("dense_net_bc_100_12");
  device_figures::meets_whole<zoo::EfficientNetB0<32, 10, 0>>("efficient_net_b0");
}
