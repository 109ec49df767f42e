// First values of tensors: rules, pinned bits, moments and orthogonality.
#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <aila/core/initialise.hpp>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <vector>

using namespace aila;

namespace {

template <class Scalar>
std::vector<Scalar> filled(Initialiser rule, std::size_t rows, std::size_t columns, std::uint64_t seed = 7,
                           std::string_view path = "weight") {
  std::vector<Scalar> values(rows * columns + 1, Scalar(-77));  // one more, to see that it is left alone
  initialise(rule, rows, columns, Seed{seed}, hash_path(path), values.data());
  REQUIRE(values.back() == Scalar(-77));
  values.pop_back();
  return values;
}

template <class Scalar> std::uint64_t fingerprint(const std::vector<Scalar>& values) {
  using Bits = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
  std::uint64_t hash = 0xcbf29ce484222325;
  for (Scalar x : values) hash = (hash ^ std::bit_cast<Bits>(x)) * 0x100000001b3;
  return hash;
}

/// The largest |<u_i, u_j> - gain^2 (i == j)| over rows, or over columns where there are more rows.
template <class Scalar>
double distance_from_orthogonal(const std::vector<Scalar>& m, std::size_t rows, std::size_t columns, double gain) {
  const bool wide = rows <= columns;
  const std::size_t count = wide ? rows : columns;
  const std::size_t length = wide ? columns : rows;
  const auto at = [&](std::size_t vector, std::size_t i) {
    return static_cast<double>(wide ? m[vector * columns + i] : m[i * columns + vector]);
  };
  double worst = 0;
  for (std::size_t a = 0; a < count; ++a) {
    for (std::size_t b = 0; b < count; ++b) {
      double sum = a == b ? -gain * gain : 0;
      for (std::size_t i = 0; i < length; ++i) sum += at(a, i) * at(b, i);
      worst = std::max(worst, std::fabs(sum));
    }
  }
  return worst;
}

template <Initialiser Rule> struct AsTemplateArgument {
  static constexpr double scale = Rule.scale;
};

}  // namespace

static_assert(AsTemplateArgument<init::constant(0.5)>::scale == 0.5);
static_assert(std::is_aggregate_v<Initialiser> && Initialiser{} == init::zeros());
static_assert(init::ones() == Initialiser{Initialiser::Kind::ones, 1});
static_assert(init::orthogonal() == Initialiser{Initialiser::Kind::orthogonal, 1});
static_assert(init::torch_uniform(64) == init::uniform(0.125) && init::torch_uniform(0) == init::uniform(0));
static_assert(init::glorot_uniform(2, 4) == init::uniform(1) && init::glorot_normal(3, 5) == init::normal(0.5));
static_assert(init::he_uniform(24) == init::uniform(0.5) && init::he_normal(8) == init::normal(0.5));
static_assert(init::he_uniform(0) == init::uniform(0) && init::glorot_normal(0, 0) == init::normal(0));

TEST_CASE_TEMPLATE("zeros, ones and constant fill with their value", Scalar, float, double) {
  CHECK(filled<Scalar>(init::zeros(), 2, 3) == std::vector<Scalar>(6, 0));
  CHECK(filled<Scalar>(init::ones(), 2, 3) == std::vector<Scalar>(6, 1));
  CHECK(filled<Scalar>(init::constant(0.1), 2, 3) == std::vector<Scalar>(6, static_cast<Scalar>(0.1)));
}

TEST_CASE_TEMPLATE("an empty tensor is left alone by every rule", Scalar, float, double) {
  for (Initialiser rule :
       {init::zeros(), init::ones(), init::constant(1), init::uniform(1), init::normal(1), init::orthogonal()}) {
    CHECK(filled<Scalar>(rule, 0, 5).empty());
    CHECK(filled<Scalar>(rule, 5, 0).empty());
  }
}

TEST_CASE("values and whole tensors have their pinned bits") {
  CHECK(filled<double>(init::orthogonal(), 2, 2) ==
        std::vector<double>{-0x1.23371d4d9bbb6p-1, 0x1.a51d61f19856p-1, -0x1.a51d61f198561p-1, -0x1.23371d4d9bbb6p-1});
  CHECK(filled<float>(init::normal(1), 2, 2) ==
        std::vector<float>{-0x1.00f848p+0f, 0x1.739804p+0f, 0x1.042a34p-3f, -0x1.2ee43ep-2f});
  CHECK(filled<double>(init::uniform(1), 2, 2) ==
        std::vector<double>{-0x1.283be6f2c2efep-1, -0x1.3acb2a02573b4p-2, 0x1.cc4ad078d1efep-1, 0x1.421c5011becdap-1});
  CHECK(fingerprint(filled<double>(init::torch_uniform(48), 64, 48)) == 0x2190b7ee3b405c3d);
  CHECK(fingerprint(filled<double>(init::torch_uniform(48), 20, 48)) == 0xefdcca89221fa3f7);
  CHECK(fingerprint(filled<float>(init::torch_uniform(48), 64, 48)) == 0xcea2b24598fde436);
  CHECK(fingerprint(filled<float>(init::torch_uniform(48), 20, 48)) == 0x8b6965b0890da7d3);
  CHECK(fingerprint(filled<double>(init::he_normal(48), 64, 48)) == 0x4a4e8124832ee9e7);
  CHECK(fingerprint(filled<double>(init::he_normal(48), 20, 48)) == 0xfeed81886ddb063e);
  CHECK(fingerprint(filled<float>(init::he_normal(48), 64, 48)) == 0xcb84ae9718bf56da);
  CHECK(fingerprint(filled<float>(init::he_normal(48), 20, 48)) == 0x6fe38f7025633b45);
  CHECK(fingerprint(filled<double>(init::orthogonal(1.4142135623730951), 64, 48)) == 0xe134e0de50aba038);
  CHECK(fingerprint(filled<double>(init::orthogonal(1.4142135623730951), 20, 48)) == 0x501e3fa3fa30896f);
  CHECK(fingerprint(filled<float>(init::orthogonal(1.4142135623730951), 64, 48)) == 0x844f089045a3c0ed);
  CHECK(fingerprint(filled<float>(init::orthogonal(1.4142135623730951), 20, 48)) == 0x3753289abe934cbc);
}

TEST_CASE("float values are the double values rounded") {
  for (Initialiser rule : {init::uniform(0.3), init::normal(0.02), init::orthogonal(1.5)}) {
    const auto wide = filled<double>(rule, 7, 5);
    const auto narrow = filled<float>(rule, 7, 5);
    for (std::size_t i = 0; i < wide.size(); ++i) CHECK(narrow[i] == static_cast<float>(wide[i]));
  }
}

TEST_CASE_TEMPLATE("uniform values have the bound and variance asked for", Scalar, float, double) {
  constexpr std::size_t n = 100'000;
  const auto values = filled<Scalar>(init::uniform(0.25), 100, n / 100);
  double sum = 0, squares = 0;
  for (Scalar x : values) {
    REQUIRE(std::fabs(x) <= Scalar(0.25));
    sum += static_cast<double>(x);
    squares += static_cast<double>(x) * static_cast<double>(x);
  }
  const double variance = 0.25 * 0.25 / 3;
  CHECK(std::fabs(sum / n) < 4 * std::sqrt(variance / n));
  CHECK(std::fabs(squares / n / variance - 1) < 4 * std::sqrt(0.8 / n));
  CHECK(*std::max_element(values.begin(), values.end()) > Scalar(0.2499));
  CHECK(*std::min_element(values.begin(), values.end()) < Scalar(-0.2499));
}

TEST_CASE_TEMPLATE("normal values have the standard deviation asked for", Scalar, float, double) {
  constexpr std::size_t n = 100'000;
  double sum = 0, squares = 0;
  for (Scalar x : filled<Scalar>(init::normal(0.02), 100, n / 100)) {
    sum += static_cast<double>(x);
    squares += static_cast<double>(x) * static_cast<double>(x);
  }
  CHECK(std::fabs(sum / n) < 4 * 0.02 / std::sqrt(static_cast<double>(n)));
  CHECK(std::fabs(squares / n / (0.02 * 0.02) - 1) < 4 * std::sqrt(2.0 / n));
}

TEST_CASE("orthogonal matrices are orthogonal to the last bits, wide, tall, square and thin") {
  struct Size {
    std::size_t rows, columns;
  };
  for (auto [rows, columns] :
       {Size{8, 20}, Size{20, 8}, Size{64, 64}, Size{256, 64}, Size{1, 9}, Size{9, 1}, Size{1, 1}}) {
    CAPTURE(rows);
    CAPTURE(columns);
    CHECK(distance_from_orthogonal(filled<double>(init::orthogonal(), rows, columns), rows, columns, 1) < 4e-15);
    CHECK(distance_from_orthogonal(filled<double>(init::orthogonal(2), rows, columns), rows, columns, 2) < 2e-14);
    CHECK(distance_from_orthogonal(filled<float>(init::orthogonal(), rows, columns), rows, columns, 1) < 3e-7);
  }
}

TEST_CASE("orthogonal matrices favour no direction and no sign") {
  // entries of a uniformly drawn 3 x 3 orthogonal matrix have mean 0, variance 1/3 and fourth moment 1/5
  constexpr int n = 4000;
  double moment[9][3] = {};
  for (int seed = 0; seed < n; ++seed) {
    const auto m = filled<double>(init::orthogonal(), 3, 3, static_cast<std::uint64_t>(seed));
    for (std::size_t i = 0; i < 9; ++i) {
      moment[i][0] += m[i] / n;
      moment[i][1] += m[i] * m[i] / n;
      moment[i][2] += m[i] * m[i] * m[i] * m[i] / n;
    }
  }
  const double unit = 1 / std::sqrt(static_cast<double>(n));
  for (const auto& [mean, square, fourth] : moment) {
    CHECK(std::fabs(mean) < 4 * 0.577 * unit);
    CHECK(std::fabs(square - 1.0 / 3) < 4 * 0.298 * unit);
    CHECK(std::fabs(fourth - 0.2) < 4 * 0.267 * unit);
  }
}

TEST_CASE("a vector in the span of those before it is drawn again") {
  int redrawn = 0;
  const Random random{Seed{1}, Purpose::user, 0, 0};
  const auto frame = detail::orthonormal_frame(3, 4, [&](std::uint64_t attempt, std::size_t i) {
    if (i >= 8 && attempt == 0) {  // the third vector, first try: minus the second one
      ++redrawn;
      return -random.normal(0, i - 4);
    }
    return random.normal(attempt, i);
  });
  CHECK(redrawn == 4);
  CHECK(distance_from_orthogonal(frame, 3, 4, 1) < 1e-15);
}

TEST_CASE("seed and path change the values, and nothing else does") {
  const auto base = filled<double>(init::normal(1), 4, 6);
  CHECK(base == filled<double>(init::normal(1), 4, 6));
  CHECK(base == filled<double>(init::normal(1), 6, 4));  // values follow the element's number
  CHECK(base != filled<double>(init::normal(1), 4, 6, 8));
  CHECK(base != filled<double>(init::normal(1), 4, 6, 7, "bias"));
}

TEST_CASE("rules for connections: unit vectors, diagonals and constant rows") {
  using Numbers = std::vector<double>;
  const auto filled = [](Initialiser rule, std::size_t rows, std::size_t columns) {
    Numbers values(rows * columns, std::numeric_limits<double>::quiet_NaN());
    initialise(rule, rows, columns, Seed{1}, hash_path("a"), values.data());
    return values;
  };
  CHECK(filled(init::unit(1), 1, 3) == Numbers{0, 1, 0});
  CHECK(filled(init::unit(0, 2), 2, 2) == Numbers{2, 0, 2, 0});
  CHECK(filled(init::unit(5), 1, 3) == Numbers{0, 0, 0});
  CHECK(filled(init::last_unit(), 1, 4) == Numbers{0, 0, 0, 1});
  CHECK(filled(init::last_unit(0.5), 2, 2) == Numbers{0, 0.5, 0, 0.5});
  CHECK(filled(init::diagonal(), 2, 3) == Numbers{1, 0, 0, 0, 1, 0});
  CHECK(filled(init::diagonal(0.75, 0.125), 3, 3) ==
        Numbers{0.75, 0.125, 0.125, 0.125, 0.75, 0.125, 0.125, 0.125, 0.75});
  CHECK(filled(init::tiled_identity(3), 2, 5) == Numbers{3, 0, 3, 0, 3, 0, 3, 0, 3, 0});
  CHECK(filled(init::constant_rows(1, 0), 3, 2) == Numbers{1, 1, 0, 0, 0, 0});
  CHECK(filled(init::ramp(-2, 1), 2, 3) == Numbers{-2, -1, 0, -2, -1, 0});
}

namespace {
/// Adds a vector that begins as the last unit vector.
struct AddsLast {
  static constexpr const char* name = "adds_last";
  template <class In>
  using Out = In;
  template <class In>
  static consteval auto parameters() {
    return std::array{parameter("weight", {In::elements}, init::last_unit(2))};
  }
  template <class In, class V>
  static constexpr void forward(const V* x, auto w, V* y) {
    for (std::size_t i = 0; i < In::elements; ++i) y[i] = x[i] + V(w[0][i]);
  }
};
}  // namespace

TEST_CASE("a tensor of one dimension is one row") {
  const Model<Network<Vector<3>, AddsLast>> model;
  Predictor predict{model};
  const std::array<float, 3> x{1, 2, 3};
  const auto y = predict(x);
  CHECK((y[0] == 1 && y[1] == 2 && y[2] == 5));
}
