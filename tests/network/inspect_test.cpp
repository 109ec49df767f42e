#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <aila/network/inspect.hpp>
#include <vector>

namespace aila {
namespace {

template <class Policy>
struct Net : Network<Sequence<4, 2>, Stack<Policy, Repeat<3, Lstm<4>>>, LastStep, Linear<1>> {};

std::vector<float> inputs(std::size_t samples) {
  std::vector<float> values(samples * 8);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>((i * 37) % 101) / 50 - 1;
  return values;
}

template <class Policy, class Backend = backend::Cpu>
std::vector<MixtureWeights> weights_of(std::size_t samples, std::span<const std::int32_t> lengths = {}) {
  Model<Net<Policy>, Backend> model{Seed{1}};
  std::vector<typename Backend::Scalar> x;
  for (const float v : inputs(samples)) x.push_back(v);
  return mixture_weights(model, std::span<const typename Backend::Scalar>(x), lengths);
}

TEST_CASE_TEMPLATE("mixture weights of each layer sum to 1 over its items", Policy, integrate::Attention<>,
                   integrate::Attention<Heads<2>>, integrate::Linear<>, integrate::Linear<Heads<2>, TaskEmbedding>) {
  const auto all = weights_of<Policy>(19);
  REQUIRE(all.size() == 2);
  for (const MixtureWeights& m : all) {
    CHECK(m.path == "stack." + std::to_string(m.layer) + ".integrate");
    REQUIRE(m.mean.size() == m.heads * m.items.size());
    double all_items = 0;
    for (std::size_t h = 0; h < m.heads; ++h) {
      double sum = 0;
      for (std::size_t i = 0; i < m.items.size(); ++i) sum += m.mean[h * m.items.size() + i];
      CHECK(sum == doctest::Approx(1).epsilon(1e-5));
    }
    for (const auto& item : m.items) all_items += m.of(item);
    CHECK(all_items == doctest::Approx(1).epsilon(1e-5));
    CHECK(m.of("h_7") == 0);
  }
}

TEST_CASE("items are named as they are") {
  const auto attention = weights_of<integrate::Attention<>>(3);
  CHECK(attention[0].layer == 1);
  CHECK(attention[0].items == std::vector<std::string>{"h_0"});
  CHECK(attention[0].of("h_0") == doctest::Approx(1));
  CHECK(attention[1].items == std::vector<std::string>{"h_0", "h_1"});
  const auto linear = weights_of<integrate::Linear<TaskEmbedding>>(3);
  CHECK(linear[1].items == std::vector<std::string>{"own", "h_0", "h_1", "task"});
  CHECK(linear[1].of("task") == doctest::Approx(0.25));  // scores start at zero: the plain mean
}

TEST_CASE("stacks without mixtures have none") {
  CHECK(weights_of<integrate::None>(3).empty());
  CHECK(weights_of<integrate::Residual>(3).empty());
  CHECK(weights_of<integrate::DenseNet>(3).empty());
}

TEST_CASE("both backends see the same weights, with lengths too") {
  const std::vector<std::int32_t> lengths{1, 2, 3, 4, 2};
  const auto cpu = weights_of<integrate::Attention<>>(5, lengths);
  const auto reference = weights_of<integrate::Attention<>, backend::Reference<double>>(5, lengths);
  const auto whole = weights_of<integrate::Attention<>>(5);
  CHECK(cpu[1].of("h_0") == doctest::Approx(reference[1].of("h_0")).epsilon(1e-4));
  CHECK(cpu[1].of("h_0") != whole[1].of("h_0"));
}

TEST_CASE("the mean over samples does not depend on how many there are of each") {
  const auto once = weights_of<integrate::Attention<>>(1);
  Model<Net<integrate::Attention<>>> model{Seed{1}};
  std::vector<float> repeated;
  for (int i = 0; i < 33; ++i)
    for (const float v : inputs(1)) repeated.push_back(v);
  const auto often = mixture_weights(model, std::span<const float>(repeated));
  CHECK(often[1].of("h_1") == doctest::Approx(once[1].of("h_1")).epsilon(1e-6));
}

}  // namespace
}  // namespace aila
