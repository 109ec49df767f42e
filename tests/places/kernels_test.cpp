// Kernels of mixtures on the CPU against their bodies in plain loops, in float and double, of many shapes.
#include "../layer/on_backend.hpp"

#include <doctest/doctest.h>

#include <aila/integrate/policies.hpp>

namespace aila {
namespace {

using namespace integrate;

template <class P, std::size_t d>
struct Wide : Network<Sequence<13, d>, Stack<P, Repeat<5, aila::Linear<d>>>> {};
template <class P>
struct Smaller
    : Network<Image<8, 8, 3>, Conv<16>, Stack<P, Conv<16, Stride<2>>, Conv<16>, Conv<16, Stride<2>>, Conv<16>>,
              MeanOverPositions, aila::Linear<2>> {};
template <class... Axes>
using Before = Mixture<AttachedAt<Place::before>, Axes...>;

TEST_CASE("which kernel computes what") {
  using Own = Sequence<4, 32>;
  using Others = SameShapes<Own, 3>;
  const auto name = []<class P>(std::type_identity<P>) {
    return std::string(KernelFor<Integration<P, Own, Others>, backend::Cpu>::name);
  };
  CHECK(name(std::type_identity<DenseFormer<>>{}) == "cpu static mixture, whole maps");
  CHECK(name(std::type_identity<ElmoMix>{}) == "cpu static mixture, whole maps");
  CHECK(name(std::type_identity<Before<RmsKeys, LearnedQuery>>{}) == "cpu scored mixture, blocks of rows");
  CHECK(name(std::type_identity<Before<ScoreOfEach, ReluWeights>>{}) == "cpu scored mixture, blocks of rows");
  using Open = TransformerBlock<2, 8>::Open<Sequence<4, 8>>;
  CHECK(name(std::type_identity<ValueResidual::Inside<Open>>{}) == "cpu value residual, rows");
  CHECK(name(std::type_identity<Before<SharedKeys<3>, LearnedQuery>>{}) == "body, lanes of positions");
  CHECK(name(std::type_identity<Before<StaticScores<>, PerChannel>>{}) == "body, lanes of positions");
}

TEST_CASE("static mixtures") {
  CHECK(cpu_error<Wide<DenseFormer<>, 64>>(5) < 1);
  CHECK(cpu_error<Wide<DenseFormer<2>, 7>>(3, {13, 1, 5}) < 1);
  CHECK(cpu_error<Wide<DenseFormer<1, 2>, 33>>(2) < 1);
  CHECK(cpu_error<Wide<ElmoMix, 17>>(5, {13, 0, 5, 12, 1}) < 1);
  CHECK(cpu_error<Wide<Together<DenseFormer<>, ElmoMix, integrate::Linear<>>, 16>>(4) < 1);
  CHECK(cpu_error<Smaller<DenseFormer<>>>(3) < 1);
}

TEST_CASE("scored mixtures") {
  CHECK(cpu_error<Wide<Before<RmsKeys, LearnedQuery>, 64>>(5) < 1);
  CHECK(cpu_error<Wide<Before<RmsKeys, LearnedQuery, Heads<2>>, 32>>(3, {13, 1, 5}) < 1);
  CHECK(cpu_error<Wide<Before<ScoreOfEach, SigmoidWeights, InBlocks<2>>, 7>>(2) < 1);
  CHECK(cpu_error<Wide<Mixture<AttachedAt<Place::readout>, ScoreOfEach, Heads<2>, MeanOfWeights, RmsKeys>, 48>>(
            5, {13, 0, 5, 12, 1}) < 1);
  CHECK(cpu_error<Smaller<Before<RmsKeys, LearnedQuery>>>(3) < 1);
}

TEST_CASE("other places") {
  CHECK(cpu_error<Wide<HyperConnections<3>, 20>>(3, {13, 1, 5}) < 1);
  CHECK(cpu_error<Smaller<ElmoMix>>(3) < 1);
  struct Attention
      : Network<Sequence<9, 12>, Stack<ValueResidual, Repeat<2, TransformerBlock<3, 8>>>, MeanOverPositions> {};
  CHECK(cpu_error<Attention>(3, {9, 1, 4}) < 1);
}

}  // namespace
}  // namespace aila
