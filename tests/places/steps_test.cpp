// Networks with connections at every place go step by step, by blocks of steps and with padded steps.
#include "../layer/padding.hpp"
#include "named.hpp"

namespace aila {
namespace {

using namespace integrate;

using Asked = Mixture<AttachedAt<Place::before>, RmsKeys, LearnedQuery>;

template <class P>
struct Deep : Network<Sequence<21, 4>, Stack<P, Lstm<4>, Gru<4>, Chain<aila::Linear<4>, Lstm<4>>, Lstm<4>>, LastStep,
                      aila::Linear<2>> {};
template <class P>
void make_different(Model<Deep<P>>& model) {
  model.edit([](std::span<float> p) {
    for (std::size_t i = 0; i < p.size(); ++i)
      if (p[i] == 0 || p[i] == 1) p[i] += 0.1F * static_cast<float>(i % 7);
  });
}

TEST_CASE_TEMPLATE("a stream and a wavefront give what the sequence gives", P, DenseFormer<>, DenseFormer<2, 2>, Asked,
                   HyperConnections<2>, ElmoMix, Together<integrate::Linear<>, DenseFormer<>>,
                   Together<HyperConnections<3>, integrate::Residual>) {
  Model<Deep<P>> model{Seed{3}};
  make_different(model);
  const auto x = inputs<float>(21 * 4);
  Predictor predict{model};
  Stream stream{model};
  for (std::size_t t = 0; t < 21; ++t) {
    const auto y = stream.step(std::span<const float, 4>(x.data() + t * 4, 4));
    const auto expected = predict(x, static_cast<std::int32_t>(t + 1));
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == doctest::Approx(expected[i]).epsilon(1e-5));
  }
  static_assert(aila::detail::WavefrontPlan<Deep<P>, backend::Cpu>::units == 4);
  for (const std::size_t threads : {1UL, 2UL, 3UL}) {
    WavefrontPredictor wavefront{model, threads};
    const auto expected = predict(x);
    const auto found = wavefront(x);
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(found[i] == expected[i]);
  }
}

template <class P>
struct OfRecurrent {
  template <std::size_t T>
  struct Net : Network<Sequence<T, 4>, Stack<P, Repeat<3, Lstm<4>>>> {};
};
template <class P>
struct OfAttention {
  template <std::size_t T>
  struct Net : Network<Sequence<T, 6>, Stack<P, Repeat<3, TransformerBlock<2, 5>>>, MeanOverPositions> {};
};

TEST_CASE("padded steps change no bit") {
  padding::check<OfRecurrent<DenseFormer<>>::Net, ReferenceDouble, CpuFloat>();
  padding::check<OfRecurrent<HyperConnections<2>>::Net, ReferenceDouble, CpuFloat>();
  padding::check<OfRecurrent<ElmoMix>::Net, ReferenceDouble, CpuFloat>();
  padding::check<OfRecurrent<Asked>::Net, ReferenceDouble, CpuFloat>();
  padding::check<OfAttention<ValueResidual>::Net, ReferenceDouble, CpuFloat>();
  padding::check_batch<OfRecurrent<DenseFormer<>>::Net<padding::most>, CpuFloat>();
  padding::check_batch<OfRecurrent<Asked>::Net<padding::most>, CpuFloat>();
  padding::check_batch<OfRecurrent<HyperConnections<2>>::Net<padding::most>, CpuFloat>();
  padding::check_batch<OfAttention<ValueResidual>::Net<padding::most>, CpuFloat>();
}

}  // namespace
}  // namespace aila
