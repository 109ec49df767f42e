// Threads with little stack - those of audio drivers, of some C libraries - run any network: what grows with it is
// memory of workspaces, not automatic arrays. Policies, and depth.
#include <doctest/doctest.h>

#include <aila/integrate/policies.hpp>

#include "on_small_stack.hpp"

namespace aila {
namespace {

/// Of maps so wide that those of a position would break the bound.
template <class Policy>
struct Stacked : Network<Sequence<2, 600>, Stack<Policy, Repeat<4, Tanh>>> {};
template <class Policy>
struct Deep : Network<Sequence<8, 2>, Stack<Policy, Repeat<20, Tanh>>, Repeat<20, Tanh>> {};

TEST_CASE_TEMPLATE("adaptive policies over wide maps keep off the stack", Policy, integrate::Linear<>,
                   integrate::Linear<Heads<300>, TaskEmbedding, Score<Context>>, integrate::Attention<>,
                   integrate::Attention<Heads<5>, TiedValues, MeanOfHeads>) {
  check_small_stack_on_both<Stacked<Policy>>();
}
TEST_CASE_TEMPLATE("other policies over wide maps keep off the stack", Policy, integrate::None, integrate::Residual,
                   integrate::DenseNet) {
  check_small_stack<Stacked<Policy>, backend::Cpu>();
}
TEST_CASE("deep networks keep off the stack") {
  check_small_stack<Deep<integrate::Linear<>>, backend::Cpu>();
}

}  // namespace
}  // namespace aila
