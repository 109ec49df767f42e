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

TEST_CASE_TEMPLATE("attention over depth has right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_policy<integrate::Attention<>, Backend>() == "");
  CHECK(wrong_policy<integrate::Attention<Heads<2>, KeyWidth<3>>, Backend>() == "");
  CHECK(wrong_policy<integrate::Attention<TiedValues>, Backend>() == "");
  CHECK(wrong_policy<integrate::Attention<Heads<4>, TiedValues>, Backend>() == "");
  CHECK(wrong_policy<integrate::Attention<Heads<2>, MeanOfHeads>, Backend>() == "");
  CHECK(wrong_policy<integrate::Attention<Heads<3>, KeyWidth<5>, MeanOfHeads, TiedValues>, Backend>() == "");
}

TEST_CASE_TEMPLATE("widths that are no multiple of a vector have right gradients", Backend, ReferenceDouble,
                   CpuDouble) {
  CHECK(wrong_gradient<integrate::Attention<>, Sequence<2, 5>, Backend>() == "");
}

}  // namespace
}  // namespace aila
