#include <doctest/doctest.h>

#include <aila/learn/check_loss_gradients.hpp>
#include <aila/learn/losses.hpp>

#include "gradients.hpp"

namespace aila {
namespace {

template <class Out, class Backend, class L>
std::string wrong_loss(const L& loss) {
  return what_is_wrong(check_loss_gradients<L, Out, Backend>(loss, {.samples = 9}));
}

TEST_CASE_TEMPLATE("losses of regressions have right gradients", Backend, ReferenceDouble, CpuDouble) {
  using Out = Vector<5>;
  CHECK(wrong_loss<Out, Backend>(MeanSquaredError{}) == "");
  CHECK(wrong_loss<Out, Backend>(MeanAbsoluteError{}) == "");
  CHECK(wrong_loss<Out, Backend>(Huber{.delta = 0.7}) == "");
  CHECK(wrong_loss<Out, Backend>(Quantile{.q = 0.9}) == "");
  CHECK(wrong_loss<Sequence<4, 2>, Backend>(MeanSquaredError{}) == "");
}

TEST_CASE_TEMPLATE("losses of classifications have right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_loss<Vector<6>, Backend>(CrossEntropy{}) == "");
  CHECK(wrong_loss<Vector<6>, Backend>(CrossEntropy{.label_smoothing = 0.1}) == "");
  CHECK(wrong_loss<Sequence<4, 3>, Backend>(CrossEntropy{}) == "");
  CHECK(wrong_loss<Vector<3>, Backend>(BinaryCrossEntropy{}) == "");
  CHECK(wrong_loss<Vector<3>, Backend>(BinaryCrossEntropy{.label_smoothing = 0.2}) == "");
}

}  // namespace
}  // namespace aila
