#include <doctest/doctest.h>

#include <aila/compose/describe.hpp>

#include "on_backend.hpp"

using namespace aila;

namespace {

template <std::size_t T, std::size_t d, class L>
struct Net : Network<Sequence<T, d>, L> {};

static_assert(std::is_same_v<NetworkOutput<Net<7, 8, SelfAttention<2>>>, Sequence<7, 8>>);
static_assert(parameter_count<Net<7, 8, SelfAttention<2>>> == 4 * 8 * 8 + 4 * 8);
static_assert(flops<Net<7, 8, SelfAttention<2>>> == 7 * 4 * 8 * 17 + 49 * (4 * 8 + 10));
static_assert(flops<Net<7, 8, SelfAttention<2, Causal>>> == 7 * 4 * 8 * 17 + 28 * (4 * 8 + 10), "half of the pairs");
static_assert(!layer_accepts<SelfAttention<3>, Sequence<4, 8>>() && !layer_accepts<SelfAttention<1>, Vector<8>>());
static_assert(!layer_accepts<SelfAttention<1>, Tokens<8>>() && !layer_accepts<SelfAttention<1>, Image<2, 2, 8>>());

/// Steps in another order.
template <class S>
std::vector<S> reordered(const std::vector<S>& x, std::size_t width) {
  std::vector<S> y;
  for (std::size_t t = x.size() / width; t-- > 0;)
    y.insert(y.end(), x.begin() + static_cast<std::ptrdiff_t>(t * width),
             x.begin() + static_cast<std::ptrdiff_t>((t + 1) * width));
  return y;
}

}  // namespace

TEST_CASE("self-attention on the CPU agrees with the plain loops in every size and number of heads") {
  CHECK(cpu_error<Net<1, 3, SelfAttention<3>>>(2) <= 1);
  CHECK(cpu_error<Net<7, 8, SelfAttention<2>>>(3) <= 1);
  CHECK(cpu_error<Net<17, 16, SelfAttention<1>>>(1) <= 1);
  CHECK(cpu_error<Net<150, 15, SelfAttention<5>>>(2) <= 1);
  CHECK(cpu_error<Net<70, 18, SelfAttention<2>>>(4, {70, 33, 0, 1}) <= 1);
}

TEST_CASE("causal self-attention on the CPU agrees with the plain loops") {
  CHECK(cpu_error<Net<9, 4, SelfAttention<2, Causal>>>(2) <= 1);
  CHECK(cpu_error<Net<131, 10, SelfAttention<2, Causal>>>(3, {131, 64, 65}) <= 1);
}

TEST_CASE_TEMPLATE("the order of the steps does not matter to attention without a mask", Backend, ReferenceDouble,
                   CpuFloat) {
  using S = typename Backend::Scalar;
  OnBackend<Net<20, 6, SelfAttention<2>>, Backend> net(1);
  const auto x = waves<S>(120), dy = waves<S>(120, 1);
  const auto straight = net.run(x, dy), turned = net.run(reordered(x, 6), reordered(dy, 6));
  const double tolerance = sizeof(S) == 4 ? 1e-5 : 1e-13;
  CHECK(apart(reordered(turned.y, 6), straight.y) < tolerance);
  CHECK(apart(reordered(turned.dx, 6), straight.dx) < tolerance);
}

TEST_CASE_TEMPLATE("with a causal mask no step knows of later ones", Backend, ReferenceDouble, CpuFloat) {
  using S = typename Backend::Scalar;
  OnBackend<Net<80, 6, SelfAttention<2, Causal>>, Backend> net(1);
  auto x = waves<S>(480);
  const auto before = net.run(x, x);
  for (std::size_t i = 40 * 6; i < 480; ++i) x[i] = S(7);
  const auto after = net.run(x, x);
  CHECK(std::equal(before.y.begin(), before.y.begin() + 240, after.y.begin()));
  CHECK(before.y != after.y);
}

TEST_CASE_TEMPLATE("scores of any size give finite weights", Backend, ReferenceDouble, CpuFloat, CpuDouble) {
  using S = typename Backend::Scalar;
  OnBackend<Net<33, 6, SelfAttention<2>>, Backend> net(1);
  auto x = waves<S>(198);
  for (S& v : x) v *= S(1e6);
  const auto results = net.run(x, waves<S>(198, 1));
  for (const S v : results.y) CHECK(std::abs(v) < S(1e9));
  for (const S v : results.dx) CHECK(std::isfinite(v));
}

TEST_CASE_TEMPLATE("a step that is no number makes the outputs no numbers", Backend, ReferenceDouble, CpuFloat) {
  using S = typename Backend::Scalar;
  OnBackend<Net<33, 6, SelfAttention<2>>, Backend> net(1);
  auto x = waves<S>(198);
  x[50] = std::numeric_limits<S>::quiet_NaN();
  for (const S v : net.run(x, x).y) CHECK(std::isnan(v));
}

TEST_CASE("self-attention tells its options") {
  CHECK(detail::part_facts<Placed<SelfAttention<1>, Sequence<2, 4>>>.kind() == "self_attention, 1 head");
  CHECK(detail::part_facts<Placed<SelfAttention<4, Causal>, Sequence<2, 4>>>.kind() ==
        "self_attention, 4 heads, causal");
}
