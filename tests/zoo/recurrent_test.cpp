// Networks of LSTMs against PyTorch's.
#include "check.hpp"

using namespace aila;

namespace {

using In = Sequence<200, 100>;
static_assert(parameter_count<zoo::Lstm2<In, 2>> == 4 * 64 * (100 + 64 + 1) + 4 * 64 * (64 + 64 + 1) + 2 * 65);
static_assert(parameter_count<zoo::AttentionLstm<In, 2>> == parameter_count<zoo::Lstm2<In, 2>> + 64 * 66);

}  // namespace

TEST_CASE("two LSTMs agree with PyTorch's") {
  zoo_check::check<zoo::Lstm2<Sequence<7, 3>, 2, 5>>("lstm2");
}

TEST_CASE("LSTMs with additive attention agree with PyTorch's") {
  zoo_check::check<zoo::AttentionLstm<Sequence<7, 3>, 2, 5>>("attention_lstm");
}
