#include <doctest/doctest.h>

#include <aila/backend/cpu.hpp>
#include <aila/backend/reference.hpp>
#include <aila/layer/layers.hpp>
#include <aila/network/model.hpp>
#include <algorithm>
#include <type_traits>
#include <vector>

#include "one_position.hpp"

namespace aila {
namespace {

using integrate::Attention;
template <class... Options>
using Adaptive = integrate::Linear<Options...>;  // architecture 1; aila::Linear is a layer
constexpr double rounding = 1e-13;

// Numbers of tensors in the tables of the policies over n earlier layers.
constexpr std::size_t score_of_linear(std::size_t n) {
  return n;
}
constexpr std::size_t value_of_attention(std::size_t i) {
  return 2 + i;
}

TEST_CASE_TEMPLATE("mixture weights are positive and sum to 1", P, Adaptive<>, Adaptive<Heads<4>>,
                   Adaptive<Heads<2>, TaskEmbedding>, Adaptive<Heads<2>, Score<Context>>, Attention<>,
                   Attention<Heads<2>, KeyWidth<3>>, Attention<TiedValues>, Attention<Heads<4>, MeanOfHeads>) {
  const OnePosition<P, 3> position;
  const auto weights = position.mixture();
  REQUIRE(weights.size() == position.heads * position.items);
  for (std::size_t h = 0; h < position.heads; ++h) {
    double sum = 0, largest = 0;
    for (std::size_t i = 0; i < position.items; ++i) {
      CHECK(weights[h * position.items + i] > 0);
      largest = std::max(largest, weights[h * position.items + i]);
      sum += weights[h * position.items + i];
    }
    CHECK(math::abs(sum - 1) < rounding);
    CHECK(largest > 1.2 / static_cast<double>(position.items));  // no plain mean, which would sum to 1 too
  }
}

TEST_CASE("a constant added to all scores changes neither weights nor result") {
  SUBCASE("in the softmax itself, up to scores that would overflow") {
    double row[3] = {0.3, -1.2, 2.0}, shifted[3] = {1000.3, 998.8, 1002.0};
    integrate::softmax(row, 3);
    integrate::softmax(shifted, 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(math::abs(row[i] - shifted[i]) < 1e-12);
  }
  SUBCASE("linear scores that see all items: one vector added for every item") {
    using Position = OnePosition<Adaptive<Heads<2>, Score<Context>>, 3>;
    const Position position;
    Position shifted = position;
    auto& score = shifted.tensor[score_of_linear(3)];
    const std::size_t inputs = score.size() / (Position::heads * Position::items);
    const auto added = Position::draw(300, Position::heads * inputs);
    for (std::size_t h = 0; h < Position::heads; ++h)
      for (std::size_t i = 0; i < Position::items; ++i)
        for (std::size_t s = 0; s < inputs; ++s) score[(h * Position::items + i) * inputs + s] += added[h * inputs + s];
    CHECK(distance(position.mixture(), shifted.mixture()) < rounding);
    CHECK(distance(position.result(), shifted.result()) < rounding);

    // So the gradient has no part in that direction: summed over the items it is zero.
    const auto slope = position.backward(Position::draw(301, 8)).tensor[score_of_linear(3)];
    double largest = 0;
    for (std::size_t h = 0; h < Position::heads; ++h)
      for (std::size_t s = 0; s < inputs; ++s) {
        double sum = 0;
        for (std::size_t i = 0; i < Position::items; ++i) {
          sum += slope[(h * Position::items + i) * inputs + s];
          largest = std::max(largest, math::abs(slope[(h * Position::items + i) * inputs + s]));
        }
        CHECK(math::abs(sum) < rounding);
      }
    CHECK(largest > 1e-3);
  }
  SUBCASE("attention: one vector added to every earlier map moves all scores by <q, W_K vector>") {
    using Position = OnePosition<Attention<Heads<2>>, 4>;
    const Position position;
    Position shifted = position;
    const auto added = Position::draw(302, 8);
    for (auto& map : shifted.before)
      for (std::size_t f = 0; f < map.size(); ++f) map[f] += added[f];
    CHECK(distance(position.mixture(), shifted.mixture()) < rounding);
  }
}

/// Swaps items a and b of a tensor [outer, items, inner].
void swap_items(std::vector<double>& tensor, std::size_t items, std::size_t inner, std::size_t a, std::size_t b) {
  for (std::size_t at = 0; at < tensor.size(); at += items * inner)
    for (std::size_t s = 0; s < inner; ++s) std::swap(tensor[at + a * inner + s], tensor[at + b * inner + s]);
}

TEST_CASE_TEMPLATE("permuting items with their parameters permutes weights, under linear integration", P, Adaptive<>,
                   Adaptive<Heads<4>>, Adaptive<Heads<2>, TaskEmbedding>, Adaptive<Heads<2>, Score<Context>>) {
  using Position = OnePosition<P, 4>;
  const Position position;
  Position swapped = position;  // h_2 and h_4: items 2 and 4, the own output being item 0
  std::swap(swapped.before[1], swapped.before[3]);
  std::swap(swapped.tensor[1], swapped.tensor[3]);
  auto& score = swapped.tensor[score_of_linear(4)];
  const std::size_t slice = 8 / Position::heads, inputs = score.size() / (Position::heads * Position::items);
  swap_items(score, Position::items, inputs, 2, 4);
  if (inputs > slice) swap_items(score, Position::items, slice, 2, 4);  // a score that sees all items sees them swapped
  auto expected = position.mixture();
  swap_items(expected, Position::items, 1, 2, 4);
  CHECK(distance(swapped.mixture(), expected) < rounding);
  CHECK(distance(swapped.mixture(), position.mixture()) > 1e-3);
  CHECK(distance(swapped.result(), position.result()) < rounding);
}

TEST_CASE_TEMPLATE("permuting items with their parameters permutes weights, under attention", P, Attention<>,
                   Attention<Heads<2>, KeyWidth<3>>, Attention<TiedValues>, Attention<Heads<4>, MeanOfHeads>) {
  using Position = OnePosition<P, 4>;
  const Position position;
  Position swapped = position;
  std::swap(swapped.before[1], swapped.before[3]);
  if (Position::Part::tensors > 3)  // values of their own
    std::swap(swapped.tensor[value_of_attention(1)], swapped.tensor[Position::Part::tensors - 1]);
  auto expected = position.mixture();
  swap_items(expected, Position::items, 1, 1, 3);
  CHECK(distance(swapped.mixture(), expected) < rounding);
  CHECK(distance(swapped.mixture(), position.mixture()) > 1e-3);
  CHECK(distance(swapped.result(), position.result()) < rounding);
}

TEST_CASE_TEMPLATE("the mean of H heads is one mixture with the mean weights", P, Adaptive<Heads<2>>,
                   Adaptive<Heads<4>>, Adaptive<Heads<4>, TaskEmbedding>, Adaptive<Heads<8>, Score<Context>>) {
  using Position = OnePosition<P, 3>;
  const Position position;
  std::vector<std::vector<double>> items{position.own};
  for (std::size_t i = 0; i < 3; ++i) items.push_back(product(position.tensor[i], position.before[i]));
  if (Position::items > 4) items.push_back(position.tensor.back());

  const auto weights = position.mixture();
  std::vector<double> of_heads(8), of_means(8);
  for (std::size_t f = 0; f < 8; ++f) {
    for (std::size_t h = 0; h < Position::heads; ++h) {
      double head = 0;
      for (std::size_t i = 0; i < items.size(); ++i) head += weights[h * items.size() + i] * items[i][f];
      of_heads[f] += head / static_cast<double>(Position::heads);
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
      double mean = 0;
      for (std::size_t h = 0; h < Position::heads; ++h) mean += weights[h * items.size() + i];
      of_means[f] += mean / static_cast<double>(Position::heads) * items[i][f];
    }
  }
  CHECK(distance(of_heads, of_means) < rounding);
  CHECK(distance(position.result(), of_heads) < rounding);
}

TEST_CASE("linear integration starts as the plain mean of its items") {
  OnePosition<Adaptive<Heads<2>>, 3> position;
  std::ranges::fill(position.tensor[score_of_linear(3)], 0.0);  // the score's initialiser
  CHECK(distance(position.mixture(), std::vector<double>(8, 0.25)) < rounding);
  static_assert(OnePosition<Adaptive<>, 3>::Part::parameters[score_of_linear(3)].initial == init::zeros());
}

TEST_CASE_TEMPLATE("over one earlier layer attention has no query, and its weight is 1", P, Attention<>,
                   Attention<Heads<4>>, Attention<TiedValues, KeyWidth<5>>) {
  using Position = OnePosition<P, 1>;
  static_assert(Position::Part::tensors == 1);  // the value map alone
  Position position;
  CHECK(position.mixture() == std::vector<double>(Position::heads, 1.0));
  CHECK(distance(position.result(), product(position.tensor[0], position.before[0])) < rounding);
  const auto before = position.result();
  CHECK(position.backward(Position::draw(303, 8)).own == std::vector<double>(8, 0.0));
  position.own = Position::draw(304, 8);
  CHECK(position.result() == before);
}

TEST_CASE("where all earlier maps are equal the query is dead: equal weights, no gradient") {
  using Position = OnePosition<Attention<Heads<2>, TiedValues>, 3>;
  Position position;
  for (auto& map : position.before) map = position.before[0];
  CHECK(distance(position.mixture(), std::vector<double>(6, 1.0 / 3)) < rounding);
  const auto slopes = position.backward(Position::draw(305, 8));
  CHECK(distance(slopes.tensor[0], std::vector<double>(slopes.tensor[0].size())) < rounding);
  CHECK(distance(slopes.own, std::vector<double>(8)) < rounding);
  CHECK(distance(slopes.tensor[2], std::vector<double>(slopes.tensor[2].size())) > 1e-3);
}

template <class Policy>
struct OneLayer : Network<Sequence<4, 2>, Stack<Policy, Lstm<6>>> {};

TEST_CASE_TEMPLATE("at j = 1 both architectures agree with the plain stack, in bits", Backend,
                   backend::Reference<double>, backend::Reference<float>, backend::Cpu) {
  using S = typename Backend::Scalar;
  const auto run = []<class Net>(std::type_identity<Net>) {
    const Model<Net, Backend> model(Seed{3});
    Workspace<Net, Backend, Capability::predict> workspace(3);
    const auto drawn = OnePosition<integrate::None, 1>::draw(306, 3 * 4 * 2);
    const std::vector<S> x(drawn.begin(), drawn.end());
    model.predict(x.data(), 3, workspace);
    return std::vector<S>(workspace.output(), workspace.output() + 3 * 4 * 6);
  };
  const auto plain = run(std::type_identity<OneLayer<integrate::None>>{});
  CHECK(*std::ranges::max_element(plain) > 0);
  CHECK(run(std::type_identity<OneLayer<Adaptive<Heads<2>, TaskEmbedding>>>{}) == plain);
  CHECK(run(std::type_identity<OneLayer<Attention<Heads<2>>>>{}) == plain);
  CHECK(description_hash<OneLayer<Adaptive<>>>() == description_hash<OneLayer<Attention<>>>());
}

}  // namespace
}  // namespace aila
