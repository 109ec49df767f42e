// EfficientNet-B0 against torchvision's.
#include "check.hpp"

TEST_CASE("EfficientNet-B0 agrees with torchvision's") {
  zoo_check::check<aila::zoo::EfficientNetB0<32, 10, 0>>("efficient_net_b0");
}
