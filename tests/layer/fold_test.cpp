#include <doctest/doctest.h>

#include <aila/aila.hpp>

#include "gradients.hpp"

namespace aila {
namespace {

struct Folded : Network<Image<6, 5, 3>, Conv<7>, BatchNorm<>, Relu, DepthwiseConv<NoBias>, BatchNorm<>, Silu,
                        Residual<Conv<7, Kernel<1>>, BatchNorm<>>, Conv<9, Stride<2>>, BatchNorm<>, Softmax,
                        MeanOverPositions, Linear<2>> {};

/// A model whose running statistics are not those it starts from.
template <class Backend>
Model<Folded, Backend> seasoned() {
  Model<Folded, Backend> model{Seed{4}};
  model.edit([](auto parameters) {
    const Random random(Seed{8}, Purpose::user, 0, 0);
    for (const auto& p : parameter_table<Folded>())
      if (p.kind == ParameterKind::buffer || p.name.find("norm") != std::string::npos)
        for (std::size_t i = p.offset; i < p.offset + p.size; ++i)
          parameters[i] = static_cast<typename Backend::Scalar>(0.5 + random.uniform(0, i));
  });
  return model;
}

template <class Backend>
std::vector<double> predicted(std::size_t samples) {
  using S = typename Backend::Scalar;
  const auto model = seasoned<Backend>();
  std::vector<S> x(samples * 90);
  const Random random(Seed{9}, Purpose::user, 0, 0);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<S>(random.normal(0, i));
  Workspace<Folded, Backend, Capability::predict> workspace(samples);
  const auto y = model.predict(x, workspace);
  return {y.begin(), y.end()};
}

TEST_CASE("prediction with normalisation folded into convolutions gives what it gives without") {
  const auto plain = predicted<ReferenceDouble>(5);  // plain loops fold nothing
  const auto folded = predicted<CpuDouble>(5);
  const auto single = predicted<backend::Cpu>(5);
  REQUIRE(plain.size() == 10);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CHECK(folded[i] == doctest::Approx(plain[i]).epsilon(1e-11));
    CHECK(single[i] == doctest::Approx(plain[i]).epsilon(1e-4));
  }
  static constexpr const auto& plan = KernelFor<PlacedNetwork<Folded>, CpuDouble>::plan;
  static_assert(plan.node[0].fold != plan.node[0].none && plan.node[1].is_inside_fold);
  static_assert(plan.node[3].fold != plan.node[3].none);
  static_assert(plan.node[6].fold == plan.node[6].none && !plan.node[6].is_inside_fold);
  static_assert(KernelFor<PlacedNetwork<Folded>, ReferenceDouble>::fold_kinds == 0);
}

TEST_CASE("a forward that trains is not folded") {
  CHECK(wrong_gradient<Chain<Conv<5>, BatchNorm<>, Relu, Conv<3>, BatchNorm<>>, Image<4, 3, 2>, CpuDouble>(
            {.samples = 5}) == "");
}

}  // namespace
}  // namespace aila
