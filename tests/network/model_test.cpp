#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <algorithm>
#include <limits>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "../says.hpp"

namespace aila {
namespace {

struct Net
    : Network<Sequence<4, 3>, Stack<integrate::Attention<>, Repeat<2, Lstm<5>>>, LastStep, Dropout<50>, Linear<2>> {};
using M = Model<Net>;

const std::vector<float> window{0.1F, -0.4F, 0.3F, 0.8F, -0.9F, 0.2F, 0.5F, 0.6F, -0.1F, 0.7F, -0.3F, 0.4F};

std::vector<float> output(const M& model) {
  Predictor predict{model};
  const auto y = predict(window);
  return {y.begin(), y.end()};
}
std::vector<float> parameters_of(const M& model) {
  return {model.parameters().begin(), model.parameters().end()};
}

TEST_CASE("a seed gives one model, another seed another") {
  CHECK(parameters_of(M{Seed{1}}) == parameters_of(M{Seed{1}}));
  CHECK(parameters_of(M{Seed{1}}) != parameters_of(M{Seed{2}}));
  CHECK(output(M{Seed{1}}) == output(M{Seed{1}}));
  CHECK(output(M{Seed{1}}) != output(M{Seed{2}}));
}

TEST_CASE("copies are models of their own") {
  M model{Seed{1}};
  const auto before = output(model);
  M copy = model;
  CHECK(output(copy) == before);
  copy.edit([](std::span<float> p) { p[0] += 1; });
  CHECK(output(copy) != before);
  CHECK(output(model) == before);
  model = copy;
  CHECK(output(model) == output(copy));
  const M moved = std::move(copy);
  CHECK(output(moved) == output(model));
}

TEST_CASE("parameters may be assigned, and predictions follow") {
  const M one{Seed{1}};
  M two{Seed{2}};
  two.assign(one.parameters());
  CHECK(output(two) == output(one));
  CHECK(says([&] { two.assign(one.parameters().first(7)); }, "numbers of the network's canonical array, found 7"));
  CHECK(output(two) == output(one));
}

TEST_CASE("an edit is seen by the next prediction, also when it throws") {
  M model{Seed{1}};
  const auto& table = parameter_table<Net>();
  const auto& bias = *std::find_if(table.begin(), table.end(), [](const auto& p) { return p.name == "linear.bias"; });
  const auto before = output(model);
  model.edit([&](std::span<float> p) { p[bias.offset + 1] += 2; });
  CHECK(output(model)[0] == before[0]);
  CHECK(output(model)[1] == doctest::Approx(before[1] + 2));
  const auto& recurrent =
      *std::find_if(table.begin(), table.end(), [](const auto& p) { return p.name == "stack.1.core.weight_hh"; });
  M same = model;
  same.edit([&](std::span<float> p) { std::fill_n(p.data() + recurrent.offset, recurrent.size, 0.25F); });
  CHECK_THROWS_AS(model.edit([&](std::span<float> p) {
    std::fill_n(p.data() + recurrent.offset, recurrent.size, 0.25F);
    throw std::logic_error("changed my mind too late");
  }),
                  std::logic_error);
  CHECK(output(model) == output(same));
  CHECK(output(model) != before);
}

template <class N>
void check_shared_packing() {
  constexpr std::size_t packed = Model<N>::Kernel::packed;
  static_assert(pack_pieces_of<typename Model<N>::Kernel>() > 0 && packed > 0);
  Model<N> alone{Seed{1}}, shared{Seed{2}};
  const auto change = [](std::span<float> p) {
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = 0.001F * static_cast<float>(i % 1013);
  };
  alone.edit(change);
  ThreadPool pool(3);
  shared.edit(pool, change);
  CHECK(std::equal(alone.packed(), alone.packed() + packed, shared.packed()));
}
TEST_CASE("weights that several workers pack are packed alike") {
  struct Nested : Network<Sequence<6, 3>, Linear<5>, Residual<Stack<integrate::Attention<>, Repeat<3, Lstm<5>>>>,
                          Stack<integrate::Linear<Heads<1>>, Gru<7>, Chain<Linear<7>, Lstm<7>>>, Bidirectional<Lstm<4>>,
                          LastStep, Linear<2>> {};
  struct Folded : Network<Image<6, 6, 2>, Conv<4>, BatchNorm<>, Relu, Conv<5>, Flatten, Linear<2>> {};
  static_assert(pack_pieces_of<Model<Nested>::Kernel>() == 13);
  static_assert(pack_pieces_of<Model<Folded>::Kernel>() == 3);
  check_shared_packing<Nested>();
  check_shared_packing<Folded>();
}
struct Refusing {
  template <class F>
  void run(std::size_t, F&&) {
    throw Error("no time for this");
  }
  static std::size_t size() { return 2; }
};
TEST_CASE("packing that an executor refuses is an error, and the weights are packed all the same") {
  Refusing refusing;
  M model{Seed{1}}, same{Seed{1}};
  const auto change = [](std::span<float> p) {
    for (float& v : p) v *= 1.5F;
  };
  CHECK(says([&] { model.edit(refusing, change); }, "no time for this"));
  same.edit(change);
  CHECK(output(model) == output(same));
}

TEST_CASE("a tensor is found by its name, or refused") {
  const M model{Seed{1}};
  CHECK(model.parameter("stack.0.core.weight_ih").size() == 4 * 5 * 3);
  CHECK(model.parameter("stack.1.core.weight_hh").size() == 4 * 5 * 5);
  CHECK(model.parameter("linear.bias").size() == 2);
  for (const ParameterInfo& p : parameter_table<Net>())
    CHECK(model.parameter(p.name).data() == model.parameters().data() + p.offset);
  CHECK(
      says([&] { model.parameter("stack.2.core.weight_hh"); }, "this network has no parameter stack.2.core.weight_hh"));
}

TEST_CASE("a const model serves several threads, each with a workspace of its own") {
  const M model{Seed{1}};
  const auto expected = output(model);
  std::vector<int> wrong(3);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      Workspace<Net, backend::Cpu, Capability::predict> workspace(1);
      for (int i = 0; i < 200; ++i) {
        const auto y = model.predict(window, workspace);
        wrong[t] += y[0] != expected[0] || y[1] != expected[1];
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>{0, 0, 0});
}

template <class L, class Backend>
int not_finite(typename Backend::Scalar bad) {
  struct Layer : Network<Sequence<5, 2>, L, Flatten> {};
  Model<Layer, Backend> model{Seed{2}};
  std::vector<typename Backend::Scalar> x(10, 0.5);
  x[3] = bad;
  int count = 0;
  Predictor<Layer, Backend> predict{model};
  for (const auto y : predict(x)) count += std::isnan(y);
  return count;
}

TEST_CASE_TEMPLATE("an input that is not a number is never hidden by a layer", Backend, backend::Reference<float>,
                   backend::Cpu, backend::Reference<double>) {
  const auto nan = std::numeric_limits<typename Backend::Scalar>::quiet_NaN();
  CHECK(not_finite<Relu, Backend>(nan) == 1);
  CHECK(not_finite<Gelu, Backend>(nan) == 1);
  CHECK(not_finite<Silu, Backend>(nan) == 1);
  CHECK(not_finite<Tanh, Backend>(nan) == 1);
  CHECK(not_finite<Sigmoid, Backend>(nan) == 1);
  CHECK(not_finite<Softmax, Backend>(nan) == 2);
  CHECK(not_finite<LayerNorm, Backend>(nan) == 2);
  CHECK(not_finite<ReluLayerNorm, Backend>(nan) == 2);
  CHECK(not_finite<Linear<3>, Backend>(nan) == 3);
  CHECK(not_finite<Lstm<6>, Backend>(nan) == 24);  // its step and those after it
  CHECK(not_finite<Stack<integrate::Attention<>, Linear<4>, Linear<4>>, Backend>(nan) == 4);
  CHECK(not_finite<Stack<integrate::Linear<>, Linear<4>, Linear<4>>, Backend>(nan) == 4);
}

/// Packed copies of these parameters, made at once.
template <class N>
std::vector<float> packed_of(std::span<const float> parameters) {
  Model<N> fresh{Seed{9}};
  fresh.assign(parameters);
  return {fresh.packed(), fresh.packed() + Model<N>::Kernel::packed};
}

/// Changes one tensor after another, and packs nothing but the piece that is said to read it.
template <class N>
void check_tensors_have_one_piece() {
  Model<N> model{Seed{1}};
  std::size_t tensor = 0;
  for (const ParameterInfo& p : parameter_table<N>()) {
    CAPTURE(p.name);
    const std::size_t piece = Model<N>::pack_piece_of_tensor(tensor++);
    CHECK(piece < Model<N>::pack_pieces);
    model.edit_pieces([&](std::span<float> parameters, const auto& pack) {
      for (std::size_t i = 0; i < p.size; ++i) parameters[p.offset + i] += 0.25F;
      pack(piece);
    });
    CHECK(std::vector<float>(model.packed(), model.packed() + Model<N>::Kernel::packed) ==
          packed_of<N>(model.parameters()));
  }
  CHECK(tensor > 0);
}

TEST_CASE("each tensor is packed by the piece that the model names") {
  check_tensors_have_one_piece<Net>();
  using Deep = Stack<integrate::Linear<Heads<2>>, Epilogue<ReluLayerNorm>, Lstm<8>, Gru<8>, Linear<8>>;
  struct Parts : Network<Sequence<4, 3>, Relu, Linear<6>, Chain<Tanh, Linear<8>, LayerNorm>, Deep,
                         Residual<Chain<Linear<8>, Relu>>, Frozen<Linear<4>>, LastStep, Relu, Linear<2>, Tanh> {};
  check_tensors_have_one_piece<Parts>();
  using Normed = Chain<Conv<4>, BatchNorm<>, Relu>;
  struct Folded : Network<Image<6, 6, 3>, Relu, Normed, Conv<4>, BatchNorm<>, Conv<16>,
                          Stack<integrate::Attention<>, Conv<4>, Normed>, BatchNorm<>, MeanOverPositions, Linear<2>> {};
  check_tensors_have_one_piece<Folded>();
}

}  // namespace
}  // namespace aila
