// Residual streams beside the cores: gradients, figures that PyTorch made (figures/make_connections.py), first values,
// steps, and what tools see.
#include <aila/network/graph.hpp>
#include <aila/network/summary.hpp>

#include "../gradients.hpp"
#include "../layer/figures.hpp"
#include "../layer/padding.hpp"
#include "named.hpp"

namespace aila::streams {
namespace {

using namespace integrate;
using Low = Laurel<LowRank<2>>;
using All = Laurel<ResidualWeights, LowRank<2>, Previous<3>>;

static_assert(std::is_same_v<Laurel<LowRank<2>, Previous<3>, ResidualWeights>, All>);

template <class P>
struct Net : Network<Sequence<3, 4>, Stack<P, Repeat<4, Chain<aila::Linear<4>, Tanh>>, Epilogue<Identity>>> {};

TEST_CASE_TEMPLATE("right gradients", Backend, ReferenceDouble, CpuDouble) {
  const auto wrong = []<class P>(std::type_identity<P>) { return what_is_wrong(check_gradients<P, void, Backend>()); };
  CHECK(wrong(std::type_identity<ReZero>{}) == "");
  CHECK(wrong(std::type_identity<Highway>{}) == "");
  CHECK(wrong(std::type_identity<Laurel<ResidualWeights>>{}) == "");
  CHECK(wrong(std::type_identity<Low>{}) == "");
  CHECK(wrong(std::type_identity<All>{}) == "");
}

TEST_CASE("they compute what their formulas say") {
  layer_figures::check<Net<ReZero>>("rezero", "places");
  layer_figures::check<Net<Highway>>("highway", "places");
  layer_figures::check<Net<Laurel<ResidualWeights>>>("laurel-weights", "places");
  layer_figures::check<Net<Low>>("laurel-low-rank", "places");
  layer_figures::check<Net<All>>("laurel-previous", "places");
}

/// The sum of ResNet with the same cores.
template <class P>
double apart_from_residual(const std::function<void(Model<Net<P>>&)>& change = [](auto&) {}) {
  struct ResNet
      : Network<Sequence<3, 4>, Stack<None, Repeat<4, aila::Residual<aila::Linear<4>, Tanh>>, Epilogue<Identity>>> {};
  const Model<ResNet> residual{Seed{1}};
  Model<Net<P>> model{Seed{2}};
  take_weights(model, residual,
               [](const std::string& name) { return name.find(".core.") != std::string::npos ? name : std::string(); });
  change(model);
  return apart(outputs(model), outputs(residual));
}

TEST_CASE("where they begin") {
  CHECK(apart_from_residual<Laurel<>>() < 1e-6);
  CHECK(apart_from_residual<Laurel<ResidualWeights>>() < 1e-6);
  CHECK(apart_from_residual<Low>() < 1e-6);
  CHECK(apart_from_residual<All>() < 1e-6);
  CHECK(apart_from_residual<ReZero>([](auto& model) { set_weights(model, "update.weight", {1}); }) < 1e-6);
  const Model<Net<ReZero>> rezero{Seed{1}};
  CHECK(outputs(rezero) == inputs<float>(12));
  Model<Net<Highway>> highway{Seed{1}};
  CHECK(highway.parameter("stack.1.update.bias")[2] == -2);
  set_weights(highway, "update.bias", {-200});
  CHECK(outputs(highway) == inputs<float>(12));  // T = 0
  const Model<Net<None>> plain{Seed{1}};
  take_weights(highway, plain,
               [](const std::string& name) { return name.find(".core.") != std::string::npos ? name : std::string(); });
  set_weights(highway, "update.bias", {200});
  CHECK(apart(outputs(highway), outputs(plain)) < 1e-6);  // T = 1
  CHECK(Model<Net<Low>>{Seed{1}}.parameter("stack.0.update.down")[2] == doctest::Approx(1 / std::sqrt(8.0)));
}

template <class P>
struct Deep : Network<Sequence<9, 4>, Stack<P, Lstm<4>, Gru<4>, Lstm<4>>, LastStep, aila::Linear<2>> {};

TEST_CASE_TEMPLATE("a stream of steps gives what the sequence gives", P, Highway, All) {
  Model<Deep<P>> model{Seed{3}};
  set_weights(model, "update.weight", {0.3, -0.4, 0.2});
  const auto x = inputs<float>(9 * 4);
  Predictor predict{model};
  Stream stream{model};
  for (std::size_t t = 0; t < 9; ++t) {
    const auto y = stream.step(std::span<const float, 4>(x.data() + t * 4, 4));
    const auto expected = predict(x, static_cast<std::int32_t>(t + 1));
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == doctest::Approx(expected[i]).epsilon(1e-5));
  }
}

template <class P>
struct Padded {
  template <std::size_t T>
  struct Net : Network<Sequence<T, 4>, Stack<P, Repeat<2, Lstm<4>>>> {};
};
TEST_CASE("padded steps change no bit") {
  padding::check_batch<Padded<Highway>::Net<padding::most>, CpuFloat>();
  padding::check_batch<Padded<All>::Net<padding::most>, CpuFloat>();
}

TEST_CASE("tools show them") {
  CHECK(summary<Net<ReZero>>().find("rezero_update  [3, 4]") != std::string::npos);
  CHECK(graph<Net<Highway>>().find("stack.2.update\\nhighway_update") != std::string::npos);
  CHECK(summary<Net<All>>().find("laurel_update  [3, 12]") != std::string::npos);
}

}  // namespace
}  // namespace aila::streams
