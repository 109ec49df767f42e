#include <doctest/doctest.h>

#include <aila/integrate/policies.hpp>

#include "gradients.hpp"

namespace aila {
namespace {

// Over one, two and three earlier layers, and over unequal widths where the policy takes them.
template <class Policy, class Backend>
std::string wrong_policy() {
  return what_is_wrong(check_gradients<Policy, void, Backend>());
}

TEST_CASE_TEMPLATE("linear integration has right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_policy<integrate::Linear<>, Backend>() == "");
  CHECK(wrong_policy<integrate::Linear<Heads<4>>, Backend>() == "");
  CHECK(wrong_policy<integrate::Linear<Heads<2>, TaskEmbedding>, Backend>() == "");
  CHECK(wrong_policy<integrate::Linear<Heads<2>, Score<Context>>, Backend>() == "");
  CHECK(wrong_policy<integrate::Linear<Heads<8>, TaskEmbedding, Score<Context>>, Backend>() == "");
}

TEST_CASE_TEMPLATE("widths that are no multiple of a vector have right gradients", Backend, ReferenceDouble,
                   CpuDouble) {
  CHECK(wrong_gradient<integrate::Linear<Heads<3>>, Sequence<2, 3>, Backend>() == "");
}

}  // namespace
}  // namespace aila
