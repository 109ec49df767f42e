// Networks of LSTMs against PyTorch's.
#include "check.hpp"

using namespace aila;

TEST_CASE("two LSTMs agree with PyTorch's") {
  zoo_check::check<zoo::Lstm2<Sequence<7, 3>, 2, 5>>("lstm2");
}

TEST_CASE("LSTMs with additive attention agree with PyTorch's") {
  zoo_check::check<zoo::AttentionLstm<Sequence<7, 3>, 2, 5>>("attention_lstm");
}
