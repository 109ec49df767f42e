// Transformers against PyTorch's.
#include "check.hpp"

using namespace aila;
using In = Sequence<7, 3>;

TEST_CASE("a transformer with sinusoidal positions and a mean agrees with PyTorch's") {
  zoo_check::check<zoo::TransformerEncoder<In, 2, 8, 2>>("transformer_mean");
}

TEST_CASE("a transformer with learned positions and a class token agrees with PyTorch's") {
  zoo_check::check<zoo::TransformerEncoder<In, 2, 8, 2, LearnedPositions, FirstStep>>("transformer_token");
}

TEST_CASE("a vision transformer agrees with PyTorch's") {
  zoo_check::check<zoo::VisionTransformer<Image<8, 8, 3>, 10, 16>>("vision_transformer");
}
