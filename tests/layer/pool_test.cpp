#include <doctest/doctest.h>

#include <type_traits>

#include "one_layer.hpp"

using namespace aila;

namespace {

template <class L, class In>
using OutOf = typename Placed<L, In>::Out;

static_assert(std::is_same_v<MaxPool<2>, MaxPool<2, Stride<2>, Padding<0>>>);
static_assert(std::is_same_v<MaxPool<3, Stride<2>, Padding<1>>, MaxPool<3, Padding<1>, Stride<2>>>);
static_assert(std::is_same_v<MaxPool<2, Width<3>>, MaxPool<2, Stride<2, 3>, Width<3>>>);
static_assert(!std::is_same_v<MaxPool<2>, AveragePool<2>>);
static_assert(std::is_same_v<OutOf<MaxPool<2>, Image<5, 6, 3>>, Image<2, 3, 3>>);
static_assert(std::is_same_v<OutOf<MaxPool<3, Stride<2>, Padding<1>>, Sequence<8, 3>>, Sequence<4, 3>>);
static_assert(std::is_same_v<OutOf<AveragePool<2, Width<3>, Stride<1, 2>>, Image<5, 7, 3>>, Image<4, 3, 3>>);
static_assert(std::is_same_v<OutOf<GlobalMaxPool, Image<5, 7, 3>>, Vector<3>>);
static_assert(Placed<MaxPool<2>, Image<4, 4, 3>>::tensors == 0 && Placed<MaxPool<2>, Image<4, 4, 3>>::flops == 48);
static_assert(!layer_accepts<MaxPool<2>, Tokens<4>>() && !layer_accepts<AveragePool<2>, Vector<4>>());
static_assert(!layer_accepts<MaxPool<4>, Image<3, 4, 1>>() && layer_accepts<MaxPool<4, Padding<1>>, Image<3, 4, 1>>());
static_assert(!layer_accepts<MaxPool<1, Width<2>>, Sequence<4, 1>>());
static_assert(!layer_accepts<GlobalMaxPool, Vector<4>>() && !layer_accepts<GlobalMaxPool, Tokens<4>>());
static_assert(MaxPool<2>::length<Sequence<9, 1>>(5) == 2 && AveragePool<2>::length<Sequence<9, 1>>(1) == 0);

template <class S>
using Values = std::vector<S>;
template <class L, class In, class Backend, class S = typename Backend::Scalar>
OneLayer<S> layer(std::size_t samples = 1) {
  return OneLayer<S>(LayerFunctions<S>::template of<L, In, Backend>(), samples);
}

#define BACKENDS backend::Reference<float>, backend::Reference<double>, backend::Cpu, backend::CpuDouble

}  // namespace

TEST_CASE_TEMPLATE("MaxPool takes the greatest of each window, and its gradient the first of equal ones", Backend,
                   BACKENDS) {
  using S = typename Backend::Scalar;
  auto pool = layer<MaxPool<2>, Image<2, 5, 1>, Backend>();
  CHECK(pool.forward({1, 4, -2, -3, 9, 4, 0, -1, -1, 9}) == Values<S>{4, -1});
  CHECK(pool.backward({10, 20}) == Values<S>{0, 10, 0, 0, 0, 0, 0, 20, 0, 0});

  auto overlapping = layer<MaxPool<3, Stride<1>, Padding<1>>, Sequence<4, 1>, Backend>();
  CHECK(overlapping.forward({-5, -1, -3, -4}) == Values<S>{-1, -1, -1, -3});  // padding does not count as 0
  overlapping.before = 1;
  CHECK(overlapping.backward({1, 2, 4, 8}) == Values<S>{1, 8, 9, 1});
}

TEST_CASE_TEMPLATE("AveragePool divides by the whole window, padding and all", Backend, BACKENDS) {
  using S = typename Backend::Scalar;
  auto pool = layer<AveragePool<4, Stride<2>, Padding<1>>, Sequence<4, 1>, Backend>();
  CHECK(pool.forward({4, 8, 12, 16}) == Values<S>{6, 9});
  pool.before = 1;
  CHECK(pool.backward({4, 8}) == Values<S>{2, 4, 4, 3});
}

TEST_CASE_TEMPLATE("GlobalMaxPool takes the greatest over all positions", Backend, BACKENDS) {
  using S = typename Backend::Scalar;
  auto pool = layer<GlobalMaxPool, Image<2, 2, 2>, Backend>(2);
  CHECK(pool.forward({-1, 5, -7, 5, -1, 2, -3, 4, 0, 0, 0, 0, 0, 0, 0, 1}) == Values<S>{-1, 5, 0, 1});
  CHECK(pool.backward({1, 2, 3, 4}) == Values<S>{1, 2, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 4});
}

TEST_CASE_TEMPLATE("what is not a number is not lost in a pool", Backend, BACKENDS) {
  using S = typename Backend::Scalar;
  const S nan = S(NAN), infinity = S(INFINITY);
  auto pool = layer<MaxPool<2>, Sequence<8, 1>, Backend>();
  const auto y = pool.forward({nan, 1, 1, nan, -infinity, -infinity, infinity, 0});
  CHECK(std::isnan(y[0]));
  CHECK(std::isnan(y[1]));
  CHECK(y[2] == -infinity);
  CHECK(y[3] == infinity);
  auto global = layer<GlobalMaxPool, Sequence<8, 1>, Backend>();
  for (std::size_t at = 0; at < 8; ++at) {
    Values<S> x{0, 1, 2, 3, 4, 5, 6, 7};
    x[at] = nan;
    CHECK(std::isnan(global.forward(x)[0]));
  }
}

TEST_CASE_TEMPLATE("pools end where a sample's steps end", Backend, BACKENDS) {
  using S = typename Backend::Scalar;
  const S nan = S(NAN);  // nobody may read these
  const Values<S> x{1, 3, 2, nan, nan, nan, nan, nan, nan, nan, 5, 4, 3, 7, 9};
  const auto check = [&](auto pool, const Values<S>& y, const Values<S>& dy, const Values<S>& dx) {
    pool.lengths = {3, 0, 5};
    CHECK(pool.forward(x) == y);
    CHECK(pool.backward(dy) == dx);
  };
  check(layer<MaxPool<2>, Sequence<5, 1>, Backend>(3), {3, 0, 0, 0, 5, 7}, {1, 0, 0, 0, 2, 3},
        {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 3, 0});
  check(layer<MaxPool<3, Stride<2>, Padding<1>>, Sequence<5, 1>, Backend>(3), {3, 3, 0, 0, 0, 0, 5, 7, 9},
        {1, 2, 0, 0, 0, 0, 4, 8, 16}, {0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 8, 16});
  check(layer<AveragePool<2, Stride<2>, Padding<1>>, Sequence<5, 1>, Backend>(3), {0.5, 2.5, 0, 0, 0, 0, 2.5, 3.5, 8},
        {2, 4, 0, 0, 0, 0, 2, 4, 6}, {1, 2, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 3, 3});
  check(layer<GlobalMaxPool, Sequence<5, 1>, Backend>(3), {3, 0, 9}, {1, 2, 4},
        {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4});
}

TEST_CASE("pools agree on the backends for widths that do not fill vectors") {
  CHECK(disagreement<MaxPool<2>, Image<5, 6, 3>>() == "");
  CHECK(disagreement<MaxPool<3, Stride<2>, Padding<1>>, Image<6, 5, 19>>() == "");
  CHECK(disagreement<MaxPool<1, Width<4>, Stride<3>, Padding<0, 2>>, Image<3, 9, 33>>() == "");
  CHECK(disagreement<MaxPool<5, Stride<7>>, Sequence<29, 8>>() == "");
  CHECK(disagreement<AveragePool<2>, Image<5, 6, 21>>() == "");
  CHECK(disagreement<AveragePool<3, Stride<2>, Padding<1>>, Sequence<8, 16>>() == "");
  CHECK(disagreement<GlobalMaxPool, Image<3, 5, 37>>() == "");
  CHECK(disagreement<GlobalMaxPool, Sequence<1, 7>>() == "");
}

TEST_CASE("means and flattened maps agree on the backends, for narrow and wide maps") {
  CHECK(disagreement<MeanOverPositions, Image<3, 3, 5>>() == "");
  CHECK(disagreement<MeanOverPositions, Sequence<6, 20>>() == "");
  CHECK(disagreement<MeanOverPositions, Image<2, 5, 150>>() == "");
  CHECK(disagreement<Flatten, Image<2, 3, 7>>() == "");
}

TEST_CASE("options of a pool are told in words") {
  CHECK(MaxPool<2>::options() == "2");
  CHECK(MaxPool<3, Stride<2>, Padding<1>>::options() == "3, stride 2, padding 1");
  CHECK(AveragePool<2, Width<3>, Stride<1>>::options() == "2x3, stride 1");
}

TEST_CASE("a pool is a constant expression on the reference backend") {
  constexpr auto run = [] {
    using Kernel = KernelFor<Placed<MaxPool<2>, Sequence<5, 1>>, backend::Reference<double>>;
    const double x[] = {1, 2, 4, 3, 9};
    std::array<double, 2> y{};
    NothingSaved saved;
    Kernel::forward<Capability::predict>(Pass{}, {nullptr, nullptr}, nullptr, x, y.data(), saved, nullptr);
    return y;
  };
  static_assert(run() == std::array{2.0, 4.0});
}
