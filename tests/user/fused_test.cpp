// A kernel written for a whole stack: it serves sequences, streams and wavefronts, and is not mixed with the library's.
#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <cmath>
#include <type_traits>
#include <vector>

namespace mine {

using namespace aila;

/// Marks the stack that the kernel below is of: two linear maps, one after the other.
struct Plain : integrate::Policy {
  static constexpr integrate::Reads reads = integrate::Reads::nothing;
};
template <class Policy>
using Maps = Stack<Policy, Linear<4>, Linear<4>, Epilogue<Identity>>;

inline int calls = 0;

template <class In, class Backend>
struct MapsKernel : KernelDefaults<typename Backend::Scalar> {
  using S = typename Backend::Scalar;
  static constexpr bool takes_blocks = true;
  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, NothingSaved&, S*) {
    ++calls;
    const auto map = [&](std::size_t inputs, const S* from, std::size_t first, S* to) {
      for (std::size_t f = 0; f < 4; ++f) {
        to[f] = w[first + 1][f];
        for (std::size_t i = 0; i < inputs; ++i) to[f] += w[first][f * inputs + i] * from[i];
      }
    };
    for (std::size_t t = 0; t < pass.samples * In::positions; ++t, x += In::features, y += 4) {
      S middle[4];
      map(In::features, x, 0, middle);
      map(4, middle, 2, y);
    }
  }
};
template <std::size_t Steps, std::size_t Features, HostBackend Backend>
MapsKernel<Sequence<Steps, Features>, Backend> select_kernel(rank::Fused,
                                                             Placed<Maps<Plain>, Sequence<Steps, Features>>, Backend);

/// Of this stack there is a kernel of whole sequences alone.
struct Whole : Plain {};
template <HostBackend Backend>
MapsKernel<Sequence<24, 3>, Backend> select_kernel(rank::Fused, Placed<Maps<Whole>, Sequence<24, 3>>, Backend);

}  // namespace mine

using namespace aila;

TEST_CASE("a kernel of rank Fused serves a stream and a wavefront") {
  struct Net : Network<Sequence<24, 3>, mine::Maps<mine::Plain>, Lstm<5>, LastStep, Linear<2>> {};
  Model<Net> model{Seed{3}};
  std::vector<float> x(NetworkInput<Net>::elements);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
  Predictor predict{model};
  const auto first = predict(x);
  const std::vector<float> expected(first.begin(), first.end());
  CHECK(mine::calls == 1);

  Stream stream{model};
  std::span<const float, 2> last = stream.step(std::span<const float, 3>(x.data(), 3));
  for (std::size_t t = 1; t < 24; ++t) last = stream.step(std::span<const float, 3>(x.data() + 3 * t, 3));
  CHECK(mine::calls == 25);
  CHECK(std::abs(last[0] - expected[0]) < 1e-5F);
  CHECK(std::abs(last[1] - expected[1]) < 1e-5F);

  static_assert(detail::WavefrontPlan<Net, backend::Cpu>::units == 2);
  for (const std::size_t threads : {std::size_t{1}, std::size_t{2}}) {
    WavefrontPredictor wavefront{model, threads};
    const auto found = wavefront(x);
    CHECK(found[0] == expected[0]);
    CHECK(found[1] == expected[1]);
  }
}

TEST_CASE("where it is of whole sequences alone, nothing goes step by step") {
  struct Net : Network<Sequence<24, 3>, mine::Maps<mine::Whole>, Lstm<5>, LastStep, Linear<2>> {};
  static_assert(
      std::is_same_v<detail::StreamRefusal<Net, backend::Cpu>, detail::StepsOfFusedNetwork<Net, backend::Cpu>>);
  static_assert(detail::WavefrontPlan<Net, backend::Cpu>::units == 0);
  Model<Net> model{Seed{3}};
  Predictor predict{model};
  mine::calls = 0;
  CHECK(std::isfinite(predict(std::vector<float>(72, 0.5F))[0]));
  CHECK(mine::calls == 1);
}
