// Tools see every part of a network, however deep inside others: what each composite tells is held against the walk
// over the description.
#include <doctest/doctest.h>

#include <aila/backend/reference.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
#include <aila/learn/trainer.hpp>
#include <aila/network/explain.hpp>
#include <aila/network/inspect.hpp>
#include <aila/network/summary.hpp>
#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace aila {
namespace {

using Backend = backend::Reference<float>;  // composites are the same code on every backend of the host
using In = Sequence<4, 4>;
using Paths = std::multiset<std::string>;

using Mixing = Stack<integrate::Attention<>, Lstm<4>, Gru<4>, Linear<4>>;
using Plain = Stack<integrate::Residual, Linear<4>, Chain<Linear<3>, Tanh, Linear<4>>>;
template <class L>
using After = Chain<Linear<4>, L>;

/// Each of the library's composites around the same stack, and two or three of them around each other.
template <class... Layers>
struct Net : Network<In, Layers...> {};
using Nets =
    List<Net<Chain<Mixing, Tanh>, Residual<Mixing>, Frozen<Mixing>, Repeat<2, Frozen<Linear<4>>>>,
         Net<Concat<Linear<4>, Repeat<2, Mixing>>, Linear<4>, Sum<Mixing, Linear<4>, Plain>>,
         Net<Bidirectional<Chain<Linear<4>, Frozen<Mixing>>>, Bidirectional<Bidirectional<Lstm<2>>>>,
         Net<Frozen<Bidirectional<Residual<Mixing>>>>,
         Net<Stack<integrate::Linear<>, Mixing, Frozen<Mixing>, Epilogue<After<LayerNorm>>>>,
         Net<Stack<integrate::DenseNet, Plain, Mixing, Linear<4>, Epilogue<Plain>>>,
         Net<Stack<integrate::None, Bidirectional<Stack<integrate::Linear<Heads<2>>, Repeat<2, Lstm<2>>>>,
                   Sum<Mixing, Residual<Mixing>>, Epilogue<Mixing>>>,
         Net<Stack<integrate::Attention<>, TransformerBlock<2, 8>, TransformerBlock<2, 8, PostNorm, Dropout<10>>>,
             Frozen<Sum<AttentionPooling<3>, Chain<Mixing, LastStep>>>>,
         Net<SqueezeExcitation<2>, BatchNorm<>,
             Stack<integrate::Linear<>, SqueezeExcitation<2>, BatchNorm<>,
                   Stack<integrate::Linear<>, BatchNorm<>, Linear<4>>>>>;

/// What a walk over the description says that there is: the path of every part but the network, and of every mixture.
struct Described {
  Paths& maps;
  Paths& mixtures;
  template <class Part>
  void operator()(const std::string& path) const {
    if constexpr (detail::CompositePart<Part>) {
      Part::Layer::template for_each_part<typename Part::In>(path, *this);
      if (!path.empty()) maps.insert(path);
    } else if constexpr (!detail::PartTraits<Part>::is_nothing) {
      maps.insert(path);
      if constexpr (requires { Part::mixture_weights; })
        if (Part::mixture_weights > 0) mixtures.insert(path);
    }
  }
};

/// Beside its output, a layer may tell what it weighed by.
bool is_own_telling(const std::string& path) {
  return path.ends_with("attention_pooling.weights");
}

template <class N>
void check_tools_see_all_of() {
  Paths maps, mixtures;
  Described{maps, mixtures}.template operator()<PlacedNetwork<N>>(std::string());
  const Model<N, Backend> model{Seed{1}};
  std::vector<float> x(3 * NetworkInput<N>::elements);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((i * 37) % 101) / 50 - 1;
  Paths told;
  for (const auto& m : layer_maps(model, x, "")) {
    CAPTURE(m.path);
    CHECK(!m.values.empty());
    CHECK(std::ranges::all_of(m.values, [](float v) { return std::isfinite(v); }));
    if (!is_own_telling(m.path)) told.insert(m.path);
  }
  CHECK(told == maps);
  Paths mixed;
  for (const MixtureWeights& m : mixture_weights(model, std::span<const float>(x))) {
    CAPTURE(m.path);
    double sum = 0;
    for (const auto& item : m.items) sum += m.of(item);
    CHECK(sum == doctest::Approx(1).epsilon(1e-5));
    CHECK(m.path.ends_with("." + std::to_string(m.layer) + ".integrate"));
    mixed.insert(m.path);
  }
  CHECK(mixed == mixtures);
  const std::string table = summary<N, Backend>(), drawing = graph<N>();
  for_each_layer<N>([&]<class Part>(const std::string& path) {
    if constexpr (!detail::PartTraits<Part>::is_nothing) {
      CAPTURE(path);
      CHECK(table.find(path + " ") != std::string::npos);
      CHECK(drawing.find("\"" + path) != std::string::npos);
    }
  });
  for (const ParameterInfo& p : parameter_table<N>()) {
    CAPTURE(p.name);
    CHECK(maps.contains(p.name.substr(0, p.name.rfind('.', p.name.find_last_not_of("0123456789.")))));
  }
}

template <class... N>
void check_each(List<N...>) {
  (check_tools_see_all_of<N>(), ...);
}
TEST_CASE("maps, mixture weights, summary and drawing tell of every part that there is") {
  check_each(Nets{});
}

using Crossed = Net<Bidirectional<Chain<Linear<4>, Mixing>>>;

TEST_CASE("the maps of a backward direction have the last valid step first; the means of its mixtures do not care") {
  const Model<Crossed, Backend> model{Seed{1}};
  std::vector<float> x(2 * In::elements);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((i * 37) % 101) / 50 - 1;
  const std::vector<std::int32_t> lengths{4, 3};
  const auto y = layer_maps(model, x, "bidirectional", lengths).at(0).values;
  const auto ahead = layer_maps(model, x, "bidirectional.forward", lengths).at(0).values;
  const auto back = layer_maps(model, x, "bidirectional.backward", lengths).at(0).values;
  for (std::size_t n = 0; n < 2; ++n)
    for (std::size_t t = 0; t < static_cast<std::size_t>(lengths[n]); ++t)
      for (std::size_t f = 0; f < 4; ++f) {
        const std::size_t last = static_cast<std::size_t>(lengths[n]) - 1;
        CHECK(ahead[(n * 4 + t) * 4 + f] == y[(n * 4 + t) * 8 + f]);
        CHECK(back[(n * 4 + last - t) * 4 + f] == y[(n * 4 + t) * 8 + 4 + f]);
      }
  // The steps of a sample that are not valid change no mean.
  const auto means = mixture_weights(model, std::span<const float>(x), lengths);
  for (std::size_t e = 28; e < 32; ++e) x[e] = 9;
  const auto again = mixture_weights(model, std::span<const float>(x), lengths);
  REQUIRE(means.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK(means[i].mean == again[i].mean);
}

/// After a layer that leaves half of the steps, a sample has half of its valid steps.
template <std::size_t Steps>
struct Halved : Network<Sequence<Steps, 4>, MaxPool<2>, Stack<integrate::Attention<>, Repeat<3, Linear<4>>>> {};
template <std::size_t Steps>
struct HalvedInside
    : Network<Sequence<Steps, 4>, Stack<integrate::Attention<>, MaxPool<2>, Chain<Linear<4>>, Linear<4>>> {};

template <template <std::size_t> class N>
void check_means_of_valid_steps() {
  std::vector<float> x(32);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((i * 37) % 101) / 50 - 1;
  const std::vector<std::int32_t> lengths{4};
  const Model<N<8>, Backend> padded{Seed{1}};
  const Model<N<4>, Backend> whole{Seed{1}};  // the same weights
  const auto means = mixture_weights(padded, std::span<const float>(x), lengths);
  const auto expected = mixture_weights(whole, std::span<const float>(x).first(16));
  REQUIRE(means.size() == 2);
  for (std::size_t e = 0; e < 2; ++e) CHECK(means[1].mean[e] == doctest::Approx(expected[1].mean[e]).epsilon(1e-5));
  CHECK(std::abs(means[1].mean[0] - 0.5) > 1e-3);
}
TEST_CASE("mixture weights are means over the steps that are valid where they are taken") {
  check_means_of_valid_steps<Halved>();
  check_means_of_valid_steps<HalvedInside>();
}

struct Deep
    : Network<In,
              Stack<integrate::None,
                    Bidirectional<Stack<integrate::Residual, Linear<2>, Chain<Linear<2>, Tanh>, Epilogue<Identity>>>>,
              LastStep, Linear<1>> {};

TEST_CASE("the first value that is not finite is found inside what holds it") {
  Samples<In> data;
  data.inputs.assign(2 * In::elements, 10.0F);
  data.targets.assign(2, 0.0F);
  for (const char* part : {"stack.0.core.forward.0.core", "stack.0.core.backward.1.core.linear"}) {
    Model<Deep, Backend> model{Seed{1}};
    model.edit([&](std::span<float> all) {  // finite weights, whose product is not
      for (const ParameterInfo& p : parameter_table<Deep>())
        if (p.name == part + std::string(".weight"))
          std::fill_n(all.begin() + static_cast<std::ptrdiff_t>(p.offset), p.size, 3e38F);
    });
    Inline alone;
    Trainer trainer(model, MeanSquaredError{}, Sgd{}, {.batch = 2}, alone);
    const std::vector<std::size_t> indices{0, 1};
    CHECK(trainer.first_non_finite(data, indices) == std::string("the output of ") + part);
  }
}

}  // namespace
}  // namespace aila
