// Kernels of run-time sizes compiled once for a whole program, in place of once in every unit that has a network.
//
// aila_add_kernels (cmake) makes a library of them and defines, for what links it, AILA_COMPILED_FLOAT_KERNELS,
// AILA_COMPILED_DOUBLE_KERNELS or both. Every unit then leaves to the library what stands below; what does not, or is
// of another architecture than backend::Cpu, is compiled where it is used, as without. The code is the same, and so are
// its numbers. A trained network of LSTMs takes two thirds of the time to compile.
#pragma once

#include "../../core/macros_aside.hpp"

#include "attention/attention_backward.hpp"
#include "attention/attention_forward.hpp"
#include "conv/conv_backward.hpp"
#include "conv/conv_forward.hpp"
#include "conv/depthwise.hpp"
#include "conv/depthwise_backward.hpp"
#include "recurrent/gru_sequence.hpp"
#include "recurrent/lstm_sequence.hpp"
#include "rows/norm_rows.hpp"
#include "rows/row_block.hpp"
#include "simd/cpu.hpp"

// The unit that has the code defines AILA_HAS_KERNELS; a name with commas is one argument of `...`.
#ifdef AILA_HAS_KERNELS
#define AILA_KERNEL(...) template decltype(__VA_ARGS__) __VA_ARGS__
#else
#define AILA_KERNEL(...) extern template decltype(__VA_ARGS__) __VA_ARGS__
#endif

#define AILA_PRODUCT_TILES(S, rows)                       \
  AILA_KERNEL(product_tile<1, S, CompiledArch, rows, 2>); \
  AILA_KERNEL(product_tile<1, S, CompiledArch, rows, 3>); \
  AILA_KERNEL(product_tile<1, S, CompiledArch, rows, 4>); \
  AILA_KERNEL(product_tile<2, S, CompiledArch, rows, 1>); \
  AILA_KERNEL(product_tile<2, S, CompiledArch, rows, 2>); \
  AILA_KERNEL(product_tile<4, S, CompiledArch, rows, 1>)

#define AILA_RECURRENT(...)                           \
  AILA_KERNEL(pack_recurrent<__VA_ARGS__>);           \
  AILA_KERNEL(recurrent_forward<__VA_ARGS__, false>); \
  AILA_KERNEL(recurrent_forward<__VA_ARGS__, true>);  \
  AILA_KERNEL(recurrent_backward<__VA_ARGS__>)

#define AILA_NORM(S, First, partial)                                 \
  AILA_KERNEL(norm_forward<S, CompiledArch, First, partial>);        \
  AILA_KERNEL(norm_backward<true, S, CompiledArch, First, partial>); \
  AILA_KERNEL(norm_backward<false, S, CompiledArch, First, partial>)

#define AILA_KERNELS(S)                                      \
  AILA_PRODUCT_TILES(S, 1);                                  \
  AILA_PRODUCT_TILES(S, 2);                                  \
  AILA_PRODUCT_TILES(S, 3);                                  \
  AILA_PRODUCT_TILES(S, 4);                                  \
  AILA_PRODUCT_TILES(S, 5);                                  \
  AILA_PRODUCT_TILES(S, 6);                                  \
  AILA_KERNEL(multiply_packed<S, CompiledArch>);             \
  AILA_KERNEL(pack_vector<S, CompiledArch>);                 \
  AILA_KERNEL(pack<S, CompiledArch>);                        \
  AILA_KERNEL(add_segments<true, S, CompiledArch>);          \
  AILA_KERNEL(add_segments<false, S, CompiledArch>);         \
  AILA_KERNEL(multiply_segments_add<S, CompiledArch>);       \
  AILA_KERNEL(multiply_transposed_add<S, CompiledArch>);     \
  AILA_KERNEL(add_columns<S, CompiledArch>);                 \
  AILA_RECURRENT(LstmSequence<S, CompiledArch>);             \
  AILA_RECURRENT(GruSequence<S, CompiledArch>);              \
  AILA_KERNEL(conv_pack<S, CompiledArch>);                   \
  AILA_KERNEL(conv_forward<Identity, S, CompiledArch>);      \
  AILA_KERNEL(conv_forward<Relu, S, CompiledArch>);          \
  AILA_KERNEL(conv_backward<S, CompiledArch>);               \
  AILA_KERNEL(depthwise_forward<Identity, S, CompiledArch>); \
  AILA_KERNEL(depthwise_backward<S, CompiledArch>);          \
  AILA_KERNEL(attention_forward<S, CompiledArch>);           \
  AILA_KERNEL(attention_backward<S, CompiledArch>);          \
  AILA_KERNEL(block_softmax<S, CompiledArch>);               \
  AILA_NORM(S, Identity, true);                              \
  AILA_NORM(S, Identity, false);                             \
  AILA_NORM(S, Relu, true);                                  \
  AILA_NORM(S, Relu, false)

namespace aila::inline v0::cpu {
using CompiledArch = backend::Cpu::Arch;
#ifdef AILA_COMPILED_FLOAT_KERNELS
AILA_KERNELS(float);
#endif
#ifdef AILA_COMPILED_DOUBLE_KERNELS
AILA_KERNELS(double);
#endif
}  // namespace aila::inline v0::cpu

#undef AILA_KERNEL
#undef AILA_PRODUCT_TILES
#undef AILA_RECURRENT
#undef AILA_NORM
#undef AILA_KERNELS

#include "../../core/macros_back.hpp"
