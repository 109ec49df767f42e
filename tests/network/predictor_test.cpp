#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <array>
#include <vector>

#include "../says.hpp"

namespace aila {
namespace {

struct Net : Network<Sequence<4, 1>, Lstm<7>, LastStep, Dropout<50>, Linear<2>> {};

std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>((i * 37) % 101) / 50 - 1;
  return values;
}
std::vector<float> copied(std::span<const float> values) {
  return {values.begin(), values.end()};
}

TEST_CASE("a window of fixed size, of run-time size and of a batch give the same") {
  const Model<Net> model{Seed{1}};
  Predictor predict{model, 3};
  const auto x = numbers(12);
  const std::array<float, 4> fixed{x[4], x[5], x[6], x[7]};
  const auto y = copied(predict(fixed));
  static_assert(decltype(predict(fixed))::extent == 2);
  static_assert(noexcept(predict(fixed)));
  CHECK(copied(predict(std::span<const float, 4>(x.data() + 4, 4))) == y);
  CHECK(copied(predict(std::span(x).subspan(4, 4))) == y);
  const float plain[] = {x[4], x[5], x[6], x[7]};  // NOLINT(*-avoid-c-arrays): programs have them
  static_assert(noexcept(predict(plain)));
  CHECK(copied(predict(plain)) == y);
  CHECK(copied(predict(std::vector<float>(fixed.begin(), fixed.end()))) == y);
  const auto all = copied(predict.batch(x));
  CHECK(all.size() == 6);
  CHECK(std::vector<float>(all.begin() + 2, all.begin() + 4) == y);
}

TEST_CASE("a prediction does not depend on what was predicted before it") {
  const Model<Net> model{Seed{1}};
  Predictor predict{model, 8}, fresh{model};
  predict.batch(numbers(32));
  const auto x = numbers(4);
  CHECK(copied(predict(x, 2)) == copied(fresh(x, 2)));
  CHECK(copied(predict(x)) == copied(fresh(x)));
}

TEST_CASE("nothing is read before or behind the user's numbers") {
  const Model<Net> model{Seed{1}};
  Predictor predict{model};
  const auto expected = copied(predict(numbers(4)));
  std::vector<float> larger(40, std::nanf(""));
  const auto x = numbers(4);
  for (const std::size_t at : {1UL, 3UL, 17UL, 36UL}) {
    std::copy(x.begin(), x.end(), larger.begin() + static_cast<std::ptrdiff_t>(at));
    CHECK(copied(predict(std::span(larger).subspan(at, 4))) == expected);
    std::fill(larger.begin(), larger.end(), std::nanf(""));
  }
}

TEST_CASE("lengths shorten a sequence, and all steps are the whole") {
  const Model<Net> model{Seed{1}};
  Predictor predict{model, 3};
  auto x = numbers(4);
  const auto whole = copied(predict(x)), three = copied(predict(x, 3));
  CHECK(whole != three);
  CHECK(copied(predict(x, 4)) == whole);
  CHECK(copied(predict(x, all_steps)) == whole);
  x[3] = 99;
  CHECK(copied(predict(x, 3)) == three);
  const std::vector<std::int32_t> lengths{3, 4, 1};
  const auto many = numbers(12);
  const auto y = copied(predict.batch(many, lengths));
  CHECK(std::vector<float>(y.begin(), y.begin() + 2) == three);
  CHECK(std::vector<float>(y.begin() + 4, y.end()) == copied(predict(std::span(many).subspan(8, 4), 1)));
}

TEST_CASE("weights are swapped between two calls") {
  const Model<Net> one{Seed{1}}, two{Seed{2}};
  Predictor predict{one}, of_two{two};
  const auto x = numbers(4);
  const auto before = copied(predict(x));
  predict.use(two);
  CHECK(copied(predict(x)) == copied(of_two(x)));
  predict.use(one);
  CHECK(copied(predict(x)) == before);
}

TEST_CASE("a model that is trained or edited is followed without being told") {
  Model<Net> model{Seed{1}};
  Predictor predict{model};
  const auto x = numbers(4);
  const auto before = copied(predict(x));
  model.edit([](std::span<float> p) { p[0] += 1; });
  CHECK(copied(predict(x)) != before);
}

TEST_CASE("inputs that do not fit are refused in one sentence") {
  const Model<Net> model{Seed{1}};
  Predictor predict{model, 2};
  CHECK(says([&] { predict(numbers(5)); }, "predict: expected the 4 elements of an input of shape [4, 1], found 5"));
  CHECK(says([&] { predict.batch(numbers(9)); }, "predict: expected up to 2 samples of 4 elements, found 9 elements"));
  CHECK(
      says([&] { predict.batch(numbers(12)); }, "predict: expected up to 2 samples of 4 elements, found 12 elements"));
  const std::vector<std::int32_t> one{4};
  CHECK(says([&] { predict.batch(numbers(8), one); }, "predict: expected a length for each of the 2 samples, found 1"));
}

}  // namespace
}  // namespace aila
