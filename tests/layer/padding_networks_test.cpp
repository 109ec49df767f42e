// Padding changes no network of layers for sequences.
#include "padding.hpp"

using namespace aila;
using padding::check, padding::check_batch, padding::most;

namespace {

template <std::size_t T>
struct Transformer : Network<Sequence<T, 6>, LearnedPositions, SinusoidalPositions, TransformerBlock<2, 9>,
                             TransformerBlock<3, 5, PostNorm, Relu, Causal>, MeanOverPositions> {};
template <std::size_t T>
struct Deep : Network<Sequence<T, 3>, Linear<4>, Gelu, Bidirectional<Gru<3>>, LayerNorm, Bidirectional<Lstm<2>>, Gru<5>,
                      LastStep, Linear<2>> {};
template <std::size_t T>
struct WithToken : Network<Sequence<T, 6>, ClassToken, TransformerBlock<2, 9>, LayerNorm, FirstStep> {};

}  // namespace

TEST_CASE("padding changes no bit of a transformer and of a deep recurrent network, nor of their gradients") {
  check<Transformer, ReferenceDouble, CpuFloat>();
  check<Deep, CpuFloat>();
  check_batch<Transformer<most>, ReferenceDouble, CpuFloat>();
  check_batch<Deep<most>, CpuFloat>();
}

TEST_CASE("a class token is one valid step more") {
  check<WithToken, CpuFloat>();
  check_batch<WithToken<most>, CpuFloat>();
}
