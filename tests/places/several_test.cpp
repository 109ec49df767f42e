// Policies at several places of one stack: each sees what it would see alone.
#include <aila/network/graph.hpp>
#include <aila/network/summary.hpp>

#include "../gradients.hpp"
#include "named.hpp"

namespace aila {
namespace {

using namespace integrate;
using enum Place;
using Ones = StaticScores<Start::ones>;

/// Behind each second layer, and of its items the newest two.
struct Sparse : Mixture<AttachedAt<before>, Ones, SignedWeights> {
  static constexpr const char* name = "sparse";
  static consteval bool attaches(std::size_t layer, std::size_t) { return layer % 2 == 1; }
  static consteval bool takes(std::size_t layer, std::size_t item, std::size_t) { return item + 2 >= layer; }
};

// Gradients of linear mixtures are gathered item by item: those of two kinds are told apart.
TEST_CASE_TEMPLATE("linear mixtures of two kinds read the same items", Backend, ReferenceDouble, CpuDouble) {
  using In = Sequence<5, 4>;
  using Core = Chain<aila::Linear<4>, Tanh>;
  const auto check = []<class... P>(std::type_identity<Together<P...>>) {
    CHECK(wrong_gradient<Stack<Together<P...>, Repeat<5, Core>, Epilogue<Identity>>, In, Backend>() == "");
  };
  check(std::type_identity<Together<DenseFormer<>, Mixture<AttachedAt<readout>, Ones, SignedWeights>>>{});
  check(std::type_identity<Together<DenseFormer<2>, Mixture<AttachedAt<readout>, Ones, SignedWeights, WithoutOwn>>>{});
  check(std::type_identity<
        Together<Sparse, Mixture<AttachedAt<readout>, Of<Items::sums>, Ones, SignedWeights>, integrate::Linear<>>>{});
  check(std::type_identity<
        Together<Sparse, Mixture<AttachedAt<readout>, Of<Items::deltas>, InBlocks<3>, Ones, SignedWeights>>>{});
}

// What gathers has room for the sums of most_terms mixtures, however few items it has itself.
TEST_CASE("a mixture of two narrow items gathers those of a deep stack") {
  CHECK(wrong_gradient<Stack<DenseFormer<>, Repeat<18, aila::Linear<1>>, Epilogue<Identity>>, Sequence<3, 1>,
                       CpuDouble>() == "");
  using Of = Integration<DenseFormer<>, Sequence<3, 1>, SameShapes<Sequence<3, 1>, 1>>;
  using Shared = KernelFor<Of, backend::Cpu>::Shared;
  CHECK(KernelFor<Of, backend::Cpu>::scratch(1, Capability::train) >= Shared::MixMaps::most_terms * Shared::W);
}

template <class P>
struct Wide : Network<Sequence<4, 3>, Stack<P, Repeat<4, aila::Linear<3>>>> {};

TEST_CASE_TEMPLATE("DenseNet concatenates beside a policy at another place", Backend, ReferenceDouble, CpuDouble) {
  using Both = Wide<Together<DenseNet, Mixture<AttachedAt<readout>, StaticScores<Start::newest>, SignedWeights>>>;
  CHECK(parameter_count<Both> == parameter_count<Wide<DenseNet>> + 5);
  const Model<Wide<DenseNet>, Backend> alone{Seed{1}};
  Model<Both, Backend> both{Seed{2}};
  take_weights(both, alone,
               [](const std::string& name) { return name.find(".end.") == std::string::npos ? name : std::string(); });
  CHECK(outputs(both) == outputs(alone));
  CHECK(graph<Both>().find("concatenate\\n[4, 9]") != std::string::npos);
  CHECK(wrong_gradient<Stack<Together<DenseNet, ElmoMix>, Repeat<4, aila::Linear<3>>>, Sequence<4, 3>, Backend>() ==
        "");
  CHECK(wrong_gradient<Stack<Together<DenseNet, ElmoMix>, Conv<3>, Conv<3, Stride<2>>, Conv<3>, Conv<3>>,
                       Image<4, 4, 3>, Backend>() == "");
}

// Each layer of such a stack has a place for a head, which few cores have.
TEST_CASE("what a frozen stack does not have is in no table and no drawing") {
  struct Net : Network<Sequence<5, 4>, Frozen<Stack<DenseFormer<>, Repeat<2, aila::Linear<4>>>>> {};
  CHECK(summary<Net>().find("identity") == std::string::npos);
  CHECK(graph<Net>().find("identity") == std::string::npos);
}

/// A core of a user's own, whose first half looks rows up.
struct Lookup {
  static constexpr const char* name = "lookup";
  template <class In>
  using Out = Sequence<In::extents[0], 6>;
  template <class In>
  struct Open {
    static constexpr std::size_t width = 6, heads = 1, query = 0, key = 6, value = 12;
    using Head = Chain<Embedding<5>, aila::Linear<18>>;
    using Tail = Chain<Attend<1>, aila::Linear<6>>;
  };
};
TEST_CASE("tables inside the first half of a core are those of the stack") {
  struct Net
      : Network<Tokens<7>, Stack<integrate::ValueResidual, Lookup, SelfAttention<1>>, LastStep, aila::Linear<1>> {};
  REQUIRE(network_tables<Net>().size() == 1);
  CHECK(network_tables<Net>()[0].name == "stack.0.head.embedding.weight");
  static_assert(Model<Net>::tables == 1);
  const Model<Net> model(Seed{1}, {9});
  Predictor predict{model};
  const std::vector<std::int32_t> a{1, 2, 3, 4, 5, 6, 7}, b{1, 2, 3, 4, 5, 6, 8};
  const float first = predict(a)[0];
  CHECK(first != predict(b)[0]);
  CHECK(first == predict(a)[0]);
}

}  // namespace
}  // namespace aila
