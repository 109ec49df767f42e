#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <cmath>
#include <vector>

namespace aila {
namespace {

double number(std::size_t i) {
  return std::sin(0.7 * static_cast<double>(i * i % 101)) + 0.01 * static_cast<double>(i % 7);
}

/// n maps of rows, behind which lie numbers that nothing may read or write.
struct Maps {
  std::size_t width;
  std::vector<std::vector<float>> map;
  std::vector<float*> at;

  Maps(std::size_t n, std::size_t rows, std::size_t columns, std::size_t seed) : width(columns), map(n) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < rows * width; ++k) map[i].push_back(static_cast<float>(number(seed + 31 * i + k)));
      map[i].push_back(1e30F);
      at.push_back(map[i].data());
    }
  }
};

template <std::size_t Width, class Arch>
void check(std::size_t n, std::size_t valid) {
  using Mix = cpu::MixRows<float, Arch, Width>;
  constexpr std::size_t lanes = simd::width<float, Arch>, stride = Width + 3, before = 2;  // rows before those mixed
  CAPTURE(Width);
  CAPTURE(n);
  CAPTURE(valid);
  Maps h(n, before + valid, Width, 1), dh(n, before + valid, Width, 2);
  const Maps first = dh;
  std::vector<float> weights(n * lanes), ds(n * lanes);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<float>(number(5 + i));
    ds[i] = static_cast<float>(number(77 + 3 * i));
  }
  Maps rows(5, valid, stride, 3);  // mixture, u, its gradient, d_mixture, and the gradient of u where nothing is mixed
  const auto row = [&](std::size_t which, std::size_t p, std::size_t k) {
    return double{rows.at[which][p * stride + k]};
  };
  Mix::forward(n, h.at.data(), before * Width, valid, weights.data(), 0.5F, rows.at[0], stride);
  Mix::template backward<true>(n, h.at.data(), dh.at.data(), before * Width, valid, weights.data(), ds.data(),
                               rows.at[1], rows.at[3], rows.at[2], stride);
  double worst = 0;
  const auto see = [&](double found, double expected) { worst = std::max(worst, std::abs(found - expected)); };
  for (std::size_t p = 0; p < valid; ++p)
    for (std::size_t k = 0; k < Width; ++k) {
      double mixture = 0, du = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const double x = h.at[i][(before + p) * Width + k], weight = weights[i * lanes + p], slope = ds[i * lanes + p];
        mixture += 0.5 * weight * x;
        du += slope * x;
        see(dh.at[i][(before + p) * Width + k],
            first.map[i][(before + p) * Width + k] + slope * row(1, p, k) + weight * row(3, p, k));
      }
      see(row(0, p, k), mixture);
      see(row(2, p, k), du);
    }
  CHECK(worst < 2e-6 * static_cast<double>(n));
  const Maps mixed = dh;
  Mix::template backward<false>(n, h.at.data(), dh.at.data(), before * Width, valid, weights.data(), ds.data(),
                                rows.at[1], rows.at[3], rows.at[4], stride);
  worst = 0;
  for (std::size_t p = 0; p < valid; ++p)
    for (std::size_t k = 0; k < Width; ++k) {
      see(row(4, p, k), row(2, p, k));
      for (std::size_t i = 0; i < n; ++i)
        see(dh.at[i][(before + p) * Width + k],
            mixed.map[i][(before + p) * Width + k] + double{ds[i * lanes + p]} * row(1, p, k));
    }
  CHECK(worst < 2e-6);
  for (std::size_t i = 0; i < n; ++i) {
    CHECK(dh.map[i].back() == 1e30F);
    for (std::size_t k = 0; k < before * Width; ++k) REQUIRE(dh.map[i][k] == first.map[i][k]);
  }
}

template <class Arch>
void check_all() {
  for (const std::size_t n : {1UL, 2UL, 5UL, 31UL})
    for (std::size_t valid = 1; valid <= simd::width<float, Arch>; ++valid) {
      check<1, Arch>(n, valid);
      check<20, Arch>(n, valid);
      check<64, Arch>(n, valid);
      check<100, Arch>(n, valid);
    }
}

TEST_CASE("rows of maps are mixed, and gradients are those of the formula") {
  check_all<simd::DefaultArch>();
}

}  // namespace
}  // namespace aila
