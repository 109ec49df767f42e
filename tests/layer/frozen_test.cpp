#include <doctest/doctest.h>

#include <aila/backend/cpu.hpp>
#include <aila/integrate/policies.hpp>

#include "run.hpp"

using namespace aila;

namespace {

using Inside = Stack<integrate::Linear<Heads<2>>, Lstm<4>, Lstm<4>>;
template <template <class> class Wrap>
struct Net
    : Network<Sequence<3, 2>, Wrap<Linear<4>>, Wrap<Inside>, LastStep, Wrap<Chain<Linear<3>, LayerNorm>>, Linear<1>> {};
template <class L>
using Bare = L;
using Free = Net<Bare>;
using Held = Net<Frozen>;
struct Head : Network<Sequence<3, 2>, Linear<4>, Frozen<Linear<2>>> {};
struct Twofold : Network<Vector<2>, Frozen<Frozen<Linear<2>>>, Frozen<Relu>, Repeat<2, Frozen<Linear<2>>>> {};
struct FrozenNorm : Network<Vector<2>, Stack<integrate::None, Linear<2>, Epilogue<Frozen<LayerNorm>>>> {};

constexpr const auto& layout = parameter_layout<PlacedNetwork<Held>>;
static_assert(std::is_same_v<NetworkOutput<Held>, NetworkOutput<Free>> && flops<Held> == flops<Free>);
static_assert(parameter_count<Held> == parameter_count<Free>, "frozen parameters are parameters");
static_assert(layout.decaying_end == 16 && layout.trainable_end == 32, "the last layer's weight and bias alone");
static_assert(layout.frozen_end == layout.size && layout.size > 32);
static_assert(parameter_layout<PlacedNetwork<Twofold>>.trainable_end == 0);
static_assert(parameter_layout<PlacedNetwork<FrozenNorm>>.frozen_end ==
              parameter_layout<PlacedNetwork<FrozenNorm>>.trainable_end + 32);
static_assert(Composite<Frozen<Inside>> && !Composite<Frozen<Linear<4>>>);
static_assert(detail::Refused<Frozen<Lstm<4>>::Out<Vector<2>>> &&
              !detail::Refused<Frozen<Lstm<4>>::Out<Sequence<3, 2>>>);
static_assert(detail::frozen(std::array{parameter("mean", {3}, init::zeros()).of_kind(ParameterKind::buffer)})[0]
                      .kind == ParameterKind::buffer,
              "a buffer stays one");

}  // namespace

TEST_CASE("freezing changes the kind of tensors, not their names and extents") {
  const auto &held = parameter_table<Held>(), &free = parameter_table<Free>();
  REQUIRE(held.size() == free.size());
  for (std::size_t i = 0; i < held.size(); ++i) {
    CHECK(held[i].name == free[i].name);
    CHECK(held[i].extents == free[i].extents);
    const bool last = held[i].name.starts_with("linear_1.");
    CHECK(held[i].kind == (last ? ParameterKind::trainable : ParameterKind::frozen));
    CHECK((held[i].offset >= layout.trainable_end) == !last);
    CHECK(free[i].kind == ParameterKind::trainable);
  }
  CHECK(description_hash<Held>() != description_hash<Free>());
}

TEST_CASE("every part of a frozen composite is seen as frozen") {
  std::size_t parts = 0;
  for_each_layer<Held>([&]<class Part>(const std::string& path) {
    ++parts;
    for (const ParameterSpec& p : Part::parameters)
      CHECK((p.kind == ParameterKind::frozen) == !path.starts_with("linear_1"));
  });
  std::size_t expected = 0;
  for_each_layer<Free>([&]<class Part>(const std::string&) { ++expected; });
  CHECK(parts == expected);
}

TEST_CASE_TEMPLATE("a frozen layer computes the same, hands the same gradient down, and has none of its own", Scalar,
                   float, double) {
  Run<Free, Scalar> free(2);
  Run<Held, Scalar> held(2);
  free.set_all();
  held.set_all();
  const auto x = numbers<Scalar>(12);
  CHECK(held.forward(x) == free.forward(x));
  CHECK(held.backward({1, -2}) == free.backward({1, -2}));
  for (const ParameterInfo& p : parameter_table<Held>()) {
    const auto gradient = held.gradient(p.name);
    if (p.kind == ParameterKind::trainable)
      CHECK(gradient == free.gradient(p.name));
    else
      CHECK(std::all_of(gradient.begin(), gradient.end(), [](Scalar g) { return g == 0; }));
  }
  const auto unfrozen = free.gradient("linear.weight");
  CHECK(std::any_of(unfrozen.begin(), unfrozen.end(), [](Scalar g) { return g != 0; }));
}

TEST_CASE("layers before a frozen one are trained through it") {
  Run<Head, double> run;
  run.set_all();
  run.forward(numbers<double>(6));
  run.backward(numbers<double>(6, 1));
  for (double g : run.gradient("linear.weight")) CHECK(g != 0);
  for (double g : run.gradient("linear_1.weight")) CHECK(g == 0);
}

TEST_CASE("layers frozen twice, layers without parameters, and repeated ones run") {
  Run<Twofold, double> run;
  run.set("linear.weight", {1, 0, 0, -1});
  run.set("linear_1.weight", {2, 0, 0, 2});
  run.set("linear_2.weight", {3, 0, 0, 3});
  CHECK(run.forward({1, 1}) == std::vector<double>{6, 0});
  CHECK(run.backward({1, 1}) == std::vector<double>{6, 0});
}

TEST_CASE("the kernel of a frozen layer is the kernel of the layer, on every backend") {
  using Part = Placed<Frozen<LayerNorm>, Vector<5>>;
  using Inner = Placed<LayerNorm, Vector<5>>;
  CHECK(std::is_base_of_v<KernelFor<Inner, backend::Cpu>, KernelFor<Part, backend::Cpu>>);
  CHECK(KernelFor<Part, backend::Cpu>::packed == KernelFor<Inner, backend::Cpu>::packed);
  using Mixture = Integration<integrate::Attention<>, Vector<4>, SameShapes<Vector<4>, 2>>;
  using FrozenMixture = Integration<detail::FrozenPolicy<integrate::Attention<>>, Vector<4>, SameShapes<Vector<4>, 2>>;
  CHECK(std::is_same_v<KernelFor<FrozenMixture, backend::Cpu>, KernelFor<Mixture, backend::Cpu>>);
  CHECK(std::is_same_v<KernelFor<FrozenMixture, backend::Reference<double>>,
                       KernelFor<Mixture, backend::Reference<double>>>);
}
