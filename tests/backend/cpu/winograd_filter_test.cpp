#include <doctest/doctest.h>

#include <aila/backend/cpu/conv/combine.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace winograd_filter_test {
using namespace aila;
using namespace aila::cpu;

namespace {

/// Numbers between -1 and 1 that look random, the same everywhere.
class Numbers {
 public:
  double next() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state_ >> 11) * 0x1p-52 - 1;
  }
  template <std::size_t N>
  std::array<double, N> some() {
    std::array<double, N> a{};
    for (double& v : a) v = next();
    return a;
  }

 private:
  std::uint64_t state_ = 7;
};

template <std::size_t R, std::size_t C>
std::array<double, R> times(const Coefficients<R, C>& m, const std::array<double, C>& x) {
  std::array<double, R> y{};
  for (std::size_t r = 0; r < R; ++r)
    for (std::size_t c = 0; c < C; ++c) y[r] += m.at[r][c] * x[c];
  return y;
}

/// (weight g) * other, product by product.
template <class Filter>
std::array<double, Filter::products> weighted(const std::array<double, 3>& g,
                                              std::array<double, Filter::products> other) {
  const auto w = times(Filter::weight, g);
  for (std::size_t i = 0; i < Filter::products; ++i) other[i] *= w[Filter::weight_of(i)];
  return other;
}

template <std::size_t N>
void check_equal(const std::array<double, N>& a, const std::array<double, N>& b) {
  for (std::size_t i = 0; i < N; ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-13).scale(1));
}

template <std::size_t Stride>
void check_filter() {
  using Filter = WinogradFilter<Stride>;
  Numbers numbers;
  const auto g = numbers.some<3>();
  const auto d = numbers.some<Filter::window>();
  const auto dy = numbers.some<4>();
  std::array<double, 4> y{};
  std::array<double, Filter::window> dd{};
  std::array<double, 3> dg{};
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t k = 0; k < 3; ++k) {
      y[i] += g[k] * d[Stride * i + k];
      dd[Stride * i + k] += g[k] * dy[i];
      dg[k] += d[Stride * i + k] * dy[i];
    }
  check_equal(times(Filter::output, weighted<Filter>(g, times(Filter::input, d))), y);
  const auto back = times(Filter::output.transposed(), dy);
  check_equal(times(Filter::input.transposed(), weighted<Filter>(g, back)), dd);
  std::array<double, Filter::weights> sums{};
  const auto in = times(Filter::input, d);
  for (std::size_t i = 0; i < Filter::products; ++i) sums[Filter::weight_of(i)] += in[i] * back[i];
  check_equal(times(Filter::weight.transposed(), sums), dg);
}

/// The largest error of four outputs over an image's both axes in float, from sums over 64 features, relative to the
/// largest output.
double error_in_float(const ToomCook<4, 3>& f) {
  constexpr std::size_t P = 6, features = 64, tiles = 40;
  const auto in_float = [](double v) { return static_cast<float>(v); };
  Numbers numbers;
  double worst = 0, largest = 0;
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    double exact[4][4] = {};
    float sums[P][P] = {};
    for (std::size_t feature = 0; feature < features; ++feature) {
      float d[P][P], g[3][3], v[P][P] = {}, w[P][P] = {};
      for (auto& row : d)
        for (float& x : row) x = in_float(numbers.next());
      for (auto& row : g)
        for (float& x : row) x = in_float(numbers.next());
      for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 4; ++j)
          for (std::size_t k = 0; k < 9; ++k)
            exact[i][j] += static_cast<double>(g[k / 3][k % 3]) * static_cast<double>(d[i + k / 3][j + k % 3]);
      const auto both_axes = [&](const auto& m, const auto& from, auto& to) {
        float half[P][P] = {};
        constexpr std::size_t R = std::remove_cvref_t<decltype(m)>::rows, C = std::remove_cvref_t<decltype(m)>::columns;
        for (std::size_t i = 0; i < R; ++i)
          for (std::size_t c = 0; c < C; ++c)
            for (std::size_t r = 0; r < C; ++r) half[i][c] += in_float(m.at[i][r]) * from[r][c];
        for (std::size_t i = 0; i < R; ++i)
          for (std::size_t j = 0; j < R; ++j)
            for (std::size_t c = 0; c < C; ++c) to[i][j] += in_float(m.at[j][c]) * half[i][c];
      };
      both_axes(f.input, d, v);
      both_axes(f.weight, g, w);
      for (std::size_t i = 0; i < P; ++i)
        for (std::size_t j = 0; j < P; ++j) sums[i][j] += v[i][j] * w[i][j];
    }
    float half[4][P] = {}, y[4][4] = {};
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < P; ++j)
        for (std::size_t r = 0; r < P; ++r) half[i][j] += in_float(f.output.at[i][r]) * sums[r][j];
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 4; ++j) {
        for (std::size_t c = 0; c < P; ++c) y[i][j] += in_float(f.output.at[j][c]) * half[i][c];
        worst = std::max(worst, std::abs(static_cast<double>(y[i][j]) - exact[i][j]));
        largest = std::max(largest, std::abs(exact[i][j]));
      }
  }
  return worst / largest;
}

/// `combine` of random vectors against the sums written as a loop.
template <const auto& m, class S>
void check_combine() {
  using B = simd::Batch<S, simd::DefaultArch>;
  Numbers numbers;
  B in[m.columns], out[m.rows];
  double x[m.columns];
  for (std::size_t c = 0; c < m.columns; ++c) in[c] = B(static_cast<S>(x[c] = numbers.next()));
  combine<m>(in, out);
  for (std::size_t r = 0; r < m.rows; ++r) {
    double sum = 0;
    for (std::size_t c = 0; c < m.columns; ++c) sum += m.at[r][c] * x[c];
    alignas(64) S lanes[B::size];
    simd::store(lanes, out[r]);
    for (const S lane : lanes)
      CHECK(static_cast<double>(lane) == doctest::Approx(sum).epsilon(sizeof(S) == 4 ? 2e-6 : 1e-14).scale(1));
  }
}
template <const auto& m>
constexpr auto transpose_of = m.transposed();

constexpr Coefficients<2, 3> plain{{{1, -1, 0}, {-1, 0.5, 2}}};
constexpr ToomCook<4, 3> usual{{0, 1, -1, 2, -2}};

}  // namespace

TEST_CASE("minimal filters make four outputs of three taps, and their gradients by their transposes") {
  check_filter<1>();
  check_filter<2>();
}

TEST_CASE("the construction gives the published matrices at the published points") {
  // arXiv 1509.09308, F(4 x 4, 3 x 3)
  const double input[6][6] = {{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
                              {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
  const double output[4][6] = {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};
  for (std::size_t i = 0; i < 6; ++i)
    for (std::size_t j = 0; j < 6; ++j) CHECK(usual.input.at[i][j] == input[i][j]);
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 6; ++j) CHECK(usual.output.at[i][j] == output[i][j]);
  CHECK(usual.weight.at[0][0] == 0.25);
  CHECK(usual.weight.at[3][1] == doctest::Approx(1.0 / 12));
  CHECK(usual.weight.at[5][2] == 1);
}

TEST_CASE("points of smaller spread lose fewer digits than the usual ones") {
  const double chosen = error_in_float(WinogradFilter<1>::filter), published = error_in_float(usual);
  CHECK(chosen < 0.6 * published);
  CHECK(chosen < 4e-6);
  MESSAGE("largest error in float: ", chosen, ", at 0, 1, -1, 2, -2: ", published);
}

TEST_CASE_TEMPLATE("vectors are combined as the matrix says", S, float, double) {
  check_combine<WinogradFilter<1>::input, S>();
  check_combine<WinogradFilter<1>::output, S>();
  check_combine<WinogradFilter<1>::weight, S>();
  check_combine<transpose_of<WinogradFilter<1>::input>, S>();
  check_combine<transpose_of<WinogradFilter<1>::output>, S>();
  check_combine<transpose_of<WinogradFilter<1>::weight>, S>();
  check_combine<WinogradFilter<2>::input, S>();
  check_combine<WinogradFilter<2>::output, S>();
  check_combine<WinogradFilter<2>::weight, S>();
  check_combine<transpose_of<WinogradFilter<2>::input>, S>();
  check_combine<transpose_of<WinogradFilter<2>::output>, S>();
  check_combine<transpose_of<WinogradFilter<2>::weight>, S>();
  check_combine<plain, S>();
}
}  // namespace winograd_filter_test
