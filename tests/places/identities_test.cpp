// What each connection is at its start, and which of them are the same under other names.
#include <aila/network/explain.hpp>

#include "named.hpp"

namespace aila {
namespace {

using namespace integrate;
using enum Place;
using Layer = aila::Linear<6>;
using Double = backend::Reference<double>;

template <class P, class... Cores>
struct Plain : Network<Sequence<4, 6>, Stack<P, Cores..., Epilogue<Identity>>> {};
/// A network of cores that gives all its maps, for any of both backends.
template <class P>
using Cores = Plain<P, Chain<aila::Linear<6>, Tanh>, aila::Linear<6>, Chain<aila::Linear<6>, Tanh>>;
template <class P>
using ResidualCores = Plain<P, aila::Residual<Layer, Tanh>, aila::Residual<Layer>, aila::Residual<Layer, Tanh>>;

std::string same(const std::string& name) {
  return name.find(".core.") != std::string::npos ? name : std::string();
}

TEST_CASE_TEMPLATE("DenseFormer begins as the plain stack, in bits", Backend, backend::Cpu, Double) {
  const Model<Cores<None>, Backend> plain{Seed{1}};
  const auto check = [&]<class P>(std::type_identity<P>) {
    Model<Cores<P>, Backend> model{Seed{2}};
    take_weights(model, plain, same);
    CHECK(outputs(model) == outputs(plain));
    set_weights(model, "weight", {0.3, -0.2, 0.9, 0.4, 0.25});  // cores' too: the check can fail
    CHECK(outputs(model) != outputs(plain));
  };
  check(std::type_identity<DenseFormer<>>{});
  check(std::type_identity<DenseFormer<2>>{});
  check(std::type_identity<DenseFormer<1, 2>>{});
}

TEST_CASE_TEMPLATE("deltas and outputs of cores, with weights of one, are ResNet's sum", Backend, backend::Cpu,
                   Double) {
  const double rounding = sizeof(typename Backend::Scalar) == 4 ? 1e-6 : 1e-14;
  using Ones = StaticScores<Start::ones>;
  const Model<ResidualCores<None>, Backend> residual{Seed{1}};
  const auto inner = [](const std::string& name) {
    const std::size_t at = name.find(".core.chain.");
    return at == std::string::npos ? same(name) : name.substr(0, at) + ".core.residual." + name.substr(at + 12);
  };
  SUBCASE("of cores that keep a sum of their own, what they add") {
    Model<ResidualCores<Mixture<AttachedAt<before>, Of<Items::deltas>, Ones, SignedWeights>>, Backend> deltas{Seed{2}};
    take_weights(deltas, residual, same);
    CHECK(apart(outputs(deltas), outputs(residual)) < rounding);
  }
  SUBCASE("the same in blocks of any size") {
    const auto check = [&]<std::size_t B>(std::integral_constant<std::size_t, B>) {
      Model<ResidualCores<Mixture<AttachedAt<before>, Of<Items::deltas>, Ones, SignedWeights, InBlocks<B>>>, Backend>
          blocks{Seed{2}};
      take_weights(blocks, residual, same);
      CHECK(apart(outputs(blocks), outputs(residual)) < rounding);
    };
    check(std::integral_constant<std::size_t, 2>{});
    check(std::integral_constant<std::size_t, 3>{});
    check(std::integral_constant<std::size_t, 5>{});
  }
  SUBCASE("of cores that keep none, their outputs; and of one layer the sum of input and output") {
    using P = Mixture<AttachedAt<before>, Ones, SignedWeights>;
    using Bare = Plain<P, Chain<Layer, Tanh>, Chain<Layer, Identity>, Chain<Layer, Tanh>>;
    Model<Bare, Backend> maps{Seed{2}};
    std::vector<std::string> names;
    for (const ParameterInfo& p : parameter_table<ResidualCores<None>>()) names.push_back(p.name);
    take_weights(maps, residual, [&](const std::string& name) {
      const std::string wanted = inner(name);
      return std::ranges::find(names, wanted) != names.end() ? wanted : same(name);
    });
    CHECK(apart(outputs(maps), outputs(residual)) < rounding);
    Model<Plain<Mixture<AttachedAt<before>, Of<Items::sums>, StaticScores<Start::newest>, SignedWeights>,
                Chain<Layer, Tanh>, Chain<Layer, Identity>, Chain<Layer, Tanh>>,
          Backend>
        sums{Seed{3}};
    take_weights(sums, maps, same);
    CHECK(apart(outputs(sums), outputs(residual)) < rounding);
  }
}

TEST_CASE_TEMPLATE("hyper-connections begin as ResNet in every row", Backend, backend::Cpu, Double) {
  const double rounding = sizeof(typename Backend::Scalar) == 4 ? 1e-6 : 1e-14;
  const Model<ResidualCores<None>, Backend> residual{Seed{1}};
  using Bare = Plain<HyperConnections<3>, Chain<Layer, Tanh>, Chain<Layer>, Chain<Layer, Tanh>>;
  Model<Bare, Backend> hyper{Seed{2}};
  take_weights(hyper, residual, same);
  auto thrice = outputs(residual);
  for (auto& y : thrice) y *= 3;
  CHECK(apart(outputs(hyper), thrice) < rounding);
}

TEST_CASE_TEMPLATE("ELMo's mix begins as the mean of all maps", Backend, backend::Cpu, Double) {
  using S = typename Backend::Scalar;
  const double rounding = sizeof(S) == 4 ? 1e-6 : 1e-14;
  Model<Cores<ElmoMix>, Backend> model{Seed{1}};
  const auto x = inputs<S>(24);
  const auto maps = layer_maps(model, std::span<const S>(x), "core");
  auto mean = x;
  std::size_t added = 0;
  for (const auto& map : maps)
    if (map.path.ends_with(".core")) {
      for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += map.values[i];
      ++added;
    }
  REQUIRE(added == 3);
  for (S& m : mean) m /= S(4);
  CHECK(apart(outputs(model), mean) < rounding);
}

TEST_CASE_TEMPLATE("attention whose values are its own, in halves, is SelfAttention", Backend, backend::Cpu, Double) {
  const double rounding = sizeof(typename Backend::Scalar) == 4 ? 2e-6 : 1e-13;
  const auto whole = [](const std::string& name) {
    std::string to = name;
    const auto replace = [&](const std::string& from, const std::string& by) {
      if (const std::size_t at = to.find(from); at != std::string::npos) to.replace(at, from.size(), by);
    };
    replace("head.layer_norm.", "core.attention.layer_norm.");
    replace("head.linear.", "core.attention.self_attention.input_");
    replace("core.sum.chain.linear.", "core.attention.self_attention.output_");
    return to.find("inside") == std::string::npos ? to : std::string();
  };
  const Model<Plain<None, Repeat<3, TransformerBlock<2, 5>>>, Backend> plain{Seed{1}};
  Model<Plain<ValueResidual, Repeat<3, TransformerBlock<2, 5>>>, Backend> open{Seed{2}};
  take_weights(open, plain, whole);
  CHECK(apart(outputs(open), outputs(plain)) > 1e-3);  // half of the first layer's values
  set_weights(open, "inside.weight", {0, 1});
  CHECK(apart(outputs(open), outputs(plain)) < rounding);
}

/// Numbers of tensors by name, for bodies that have the same tensors in another order.
template <class P, class Q>
double apart_as_points(const std::function<std::string(const std::string&)>& name_in) {
  using Of = Plain<P, Chain<Layer, Tanh>, Chain<Layer, Tanh>, Layer, Chain<Layer, Tanh>>;
  using As = Plain<Q, Chain<Layer, Tanh>, Chain<Layer, Tanh>, Layer, Chain<Layer, Tanh>>;
  Model<Of, Double> of{Seed{1}};
  of.edit([](std::span<double> p) {
    for (std::size_t i = 0; i < p.size(); ++i)
      if (p[i] == 0) p[i] = 0.9 * std::sin(static_cast<double>(i));
  });
  Model<As, Double> as{Seed{2}};
  take_weights(as, of, name_in);
  return apart(outputs(as), outputs(of));
}

TEST_CASE("linear scores and attention over depth are points of the mixtures' axes") {
  const auto linear = [](const std::string& name) {
    std::string to = name;
    if (const std::size_t at = to.find("integrate.value"); at != std::string::npos)
      to.replace(at, 15, "integrate.projection");
    if (const std::size_t at = to.find("integrate.item"); at != std::string::npos) to.replace(at, 14, "integrate.task");
    return to;
  };
  const auto attention = [](const std::string& name) { return name; };
  CHECK(apart_as_points<integrate::Linear<>, Mixture<ValuesOfEach, ScoreOfEach, MeanOfWeights>>(linear) < 1e-14);
  CHECK(apart_as_points<integrate::Linear<Heads<3>, TaskEmbedding>,
                        Mixture<ValuesOfEach, ScoreOfEach, Heads<3>, MeanOfWeights, LearnedItems<1>>>(linear) < 1e-14);
  CHECK(apart_as_points<integrate::Attention<>, Mixture<WithoutOwn, SharedKeys<>, QueryOfOwn, ValuesOfEach>>(
            attention) < 1e-14);
  CHECK(apart_as_points<integrate::Attention<Heads<2>, KeyWidth<3>, TiedValues>,
                        Mixture<WithoutOwn, SharedKeys<3>, QueryOfOwn, SharedValues, Heads<2>>>(attention) < 1e-14);
  CHECK(apart_as_points<integrate::Attention<Heads<2>, MeanOfHeads>,
                        Mixture<WithoutOwn, SharedKeys<>, QueryOfOwn, ValuesOfEach, Heads<2>, MeanOfHeads>>(attention) <
        1e-14);
}

}  // namespace
}  // namespace aila
