// Mixtures of every axis have right gradients, as bodies in plain numbers and with registers, and where they have
// kernels of their own.
#include <doctest/doctest.h>

#include <aila/integrate/policies.hpp>

#include "../gradients.hpp"

namespace aila {
namespace {

using namespace integrate;
using enum Place;

template <class P, class Backend>
std::string wrong_policy() {
  return what_is_wrong(check_gradients<P, void, Backend>());
}

TEST_CASE_TEMPLATE("where a mixture attaches, and over which items", Backend, ReferenceDouble, CpuDouble) {
  using Static = StaticScores<Start::newest>;
  CHECK(wrong_policy<Mixture<Static, SignedWeights>, Backend>() == "");
  CHECK(wrong_policy<Mixture<AttachedAt<before>, Static, SignedWeights, WithoutInput>, Backend>() == "");
  CHECK(wrong_policy<Mixture<AttachedAt<before>, Static, SignedWeights, Of<Items::deltas>>, Backend>() == "");
  CHECK(wrong_policy<Mixture<AttachedAt<before>, Static, Of<Items::sums>, InBlocks<2>>, Backend>() == "");
  CHECK(wrong_policy<Mixture<AttachedAt<readout>, Static, InBlocks<3>, LearnedItems<2>>, Backend>() == "");
  CHECK(wrong_policy<Mixture<AttachedAt<readout>, Static, SignedWeights, WithoutOwn>, Backend>() == "");
}

TEST_CASE_TEMPLATE("keys, queries and normalisers", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_policy<Mixture<AttachedAt<before>, RmsKeys, LearnedQuery, Heads<2>>, Backend>() == "");
  CHECK(wrong_policy<Mixture<AttachedAt<before>, RmsKeys, ScoreOfEach, ReluWeights, LearnedGain>, Backend>() == "");
  CHECK(wrong_policy<Mixture<AttachedAt<before>, SharedKeys<2>, ScoreOfEach, SigmoidWeights, LearnedItems<1>>,
                     Backend>() == "");
  CHECK(wrong_policy<Mixture<AttachedAt<readout>, SharedKeys<3>, QueryOfOwn, LearnedGain, Heads<2>>, Backend>() == "");
  CHECK(wrong_policy<Mixture<AttachedAt<before>, StaticScores<Start::ones>, SignedWeights, PerChannel>, Backend>() ==
        "");
}

// Heads of whole vectors, and rows with a rest of one.
TEST_CASE_TEMPLATE("what asks rows has kernels of its own", Backend, ReferenceDouble, CpuDouble) {
  using Asked = Mixture<AttachedAt<before>, RmsKeys, LearnedQuery, Heads<2>>;
  using Scored = Mixture<AttachedAt<readout>, RmsKeys, ScoreOfEach, Heads<4>, MeanOfWeights>;
  using Signed = Mixture<AttachedAt<before>, ScoreOfEach, SignedWeights, WithoutOwn>;
  using Deltas = Mixture<AttachedAt<before>, RmsKeys, LearnedQuery, SigmoidWeights, Of<Items::deltas>, InBlocks<2>>;
  const auto check = []<class P, std::size_t d>(std::type_identity<P>, std::integral_constant<std::size_t, d>) {
    using Connected = Stack<P, Repeat<3, aila::Linear<d>>, Epilogue<Identity>>;
    CHECK(wrong_gradient<Connected, Sequence<19, d>, Backend>() == "");
  };
  check(std::type_identity<Asked>{}, std::integral_constant<std::size_t, 32>{});
  check(std::type_identity<Scored>{}, std::integral_constant<std::size_t, 32>{});
  check(std::type_identity<Signed>{}, std::integral_constant<std::size_t, 11>{});
  check(std::type_identity<Deltas>{}, std::integral_constant<std::size_t, 5>{});
}

TEST_CASE_TEMPLATE("values and heads", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_policy<Mixture<ValuesOfEach, ScoreOfEach, Heads<2>, MeanOfWeights, LearnedItems<1>>, Backend>() == "");
  CHECK(wrong_policy<Mixture<WithoutOwn, SharedKeys<3>, QueryOfOwn, ValuesOfEach, Heads<2>>, Backend>() == "");
  CHECK(wrong_policy<Mixture<WithoutOwn, SharedKeys<3>, QueryOfOwn, SharedValues, Heads<2>, MeanOfHeads>, Backend>() ==
        "");
}

}  // namespace
}  // namespace aila
