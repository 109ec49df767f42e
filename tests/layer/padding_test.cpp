// Padding changes no layer for sequences.
#include "padding.hpp"

using namespace aila;
using padding::check, padding::check_batch, padding::most;

namespace {

template <std::size_t T>
struct Attention : Network<Sequence<T, 6>, SelfAttention<2>> {};
template <std::size_t T>
struct CausalAttention : Network<Sequence<T, 6>, SelfAttention<3, Causal>> {};
template <std::size_t T>
struct Recurrent : Network<Sequence<T, 3>, Gru<5>> {};
template <std::size_t T>
struct BothGru : Network<Sequence<T, 3>, Bidirectional<Gru<5>>> {};
template <std::size_t T>
struct BothLstm : Network<Sequence<T, 3>, Bidirectional<Lstm<5>>> {};
template <std::size_t T>
struct Pooled : Network<Sequence<T, 3>, AttentionPooling<7>> {};

}  // namespace

TEST_CASE("padding changes no bit of attention's outputs and gradients") {
  check<Attention, ReferenceDouble, CpuFloat>();
  check<CausalAttention, ReferenceDouble, CpuFloat>();
  check_batch<Attention<most>, ReferenceDouble, CpuFloat>();
  check_batch<CausalAttention<most>, ReferenceDouble, CpuFloat>();
}

TEST_CASE("padding changes no bit of a recurrent layer's outputs and gradients, in one direction and in both") {
  check<Recurrent, ReferenceDouble, CpuFloat>();
  check<BothGru, ReferenceDouble, CpuFloat>();
  check<BothLstm, ReferenceDouble, CpuFloat>();
  check_batch<Recurrent<most>, ReferenceDouble, CpuFloat>();
  check_batch<BothGru<most>, ReferenceDouble, CpuFloat>();
}

TEST_CASE("padding changes no bit of attention pooling") {
  check<Pooled, ReferenceDouble, CpuFloat>();
  check_batch<Pooled<most>, ReferenceDouble, CpuFloat>();
}
