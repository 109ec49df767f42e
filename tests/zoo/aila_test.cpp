// Stacks under AILA's policies against a definition of them in PyTorch.
#include "check.hpp"

using namespace aila;
using Heads4 = integrate::Linear<Heads<4>>;
using Tied = integrate::Attention<TiedValues>;

TEST_CASE("stacks of LSTMs agree with PyTorch's") {
  zoo_check::check<zoo::AilaSequence<Heads4, Sequence<7, 3>, 2, LastStep, 4, 8>>("aila_sequence_linear");
  zoo_check::check<zoo::AilaSequence<Tied, Sequence<7, 3>, 2, LastStep, 4, 8>>("aila_sequence_attention");
}

TEST_CASE("stacks of convolutions agree with PyTorch's") {
  zoo_check::check<zoo::AilaImage<Heads4, Image<8, 8, 3>, 10, 8>>("aila_image_linear");
  zoo_check::check<zoo::AilaImage<Tied, Image<8, 8, 3>, 10, 8>>("aila_image_attention");
}
