// How an earlier map of a stack comes to a later layer's positions.
#include <doctest/doctest.h>

#include <aila/backend/cpu.hpp>
#include <aila/backend/host/pooling.hpp>
#include <aila/backend/reference.hpp>
#include <cmath>
#include <limits>
#include <vector>

using namespace aila;

namespace {

template <class S>
bool near(S a, double b) {
  return std::abs(static_cast<double>(a) - b) < (sizeof(S) == sizeof(double) ? 1e-14 : 1e-6);
}

/// The mean over each window, position by position, and its gradient: share dy to each position of the window.
template <class From, class To, class Backend>
void check_pooling() {
  using S = typename Backend::Scalar;
  constexpr std::size_t samples = 2, axes = From::rank - 1, features = From::features;
  const auto to_position = [&](std::size_t p) {
    std::size_t at[axes], q = 0;
    for (std::size_t a = axes; a-- > 0; p /= From::extents[a]) at[a] = p % From::extents[a];
    for (std::size_t a = 0; a < axes; ++a) q = q * To::extents[a] + at[a] / (From::extents[a] / To::extents[a]);
    return q;
  };
  const double share = static_cast<double>(To::positions) / static_cast<double>(From::positions);
  std::vector<S> x(samples * From::elements), dx(x.size(), S(0.5));
  std::vector<S> y(samples * To::positions * features, std::numeric_limits<S>::quiet_NaN()), dy(y.size());
  std::vector<double> mean(y.size(), 0.0);
  for (std::size_t i = 0; i < y.size(); ++i) dy[i] = static_cast<S>(std::cos(static_cast<double>(i)));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<S>(std::sin(static_cast<double>(i)));
  const auto target = [&](std::size_t i) {  // the element of y that element i of x belongs to
    const std::size_t n = i / From::elements, p = i % From::elements / features;
    return (n * To::positions + to_position(p)) * features + i % features;
  };
  for (std::size_t i = 0; i < x.size(); ++i) mean[target(i)] += static_cast<double>(x[i]) * share;

  Pass pass;
  pass.samples = samples;
  Pooling<From, To, Backend>::forward(pass, x.data(), y.data());
  Pooling<From, To, Backend>::backward(pass, dy.data(), dx.data());
  for (std::size_t i = 0; i < y.size(); ++i) REQUIRE(near(y[i], mean[i]));
  for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(near(dx[i], 0.5 + share * static_cast<double>(dy[target(i)])));
}

}  // namespace

TEST_CASE_TEMPLATE("pooling takes the mean over whole windows", Backend, backend::Reference<double>, backend::Cpu,
                   backend::CpuDouble) {
  check_pooling<Sequence<12, 3>, Sequence<4, 9>, Backend>();
  check_pooling<Sequence<5, 17>, Sequence<1, 2>, Backend>();
  check_pooling<Image<4, 6, 5>, Image<2, 2, 5>, Backend>();
  check_pooling<Image<4, 6, 21>, Image<4, 3, 1>, Backend>();
  check_pooling<Image<6, 3, 16>, Image<2, 3, 4>, Backend>();
  check_pooling<Shape<4, 2, 6, 3>, Shape<2, 2, 3, 3>, Backend>();
}
