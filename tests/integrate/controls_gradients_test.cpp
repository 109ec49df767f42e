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

TEST_CASE_TEMPLATE("the controls have right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_policy<integrate::None, Backend>() == "");
  CHECK(wrong_policy<integrate::Residual, Backend>() == "");
  CHECK(wrong_policy<integrate::DenseNet, Backend>() == "");
}

}  // namespace
}  // namespace aila
