// The query of attention over depth, brought into the space of the earlier layers' outputs.
//
// Every earlier layer has the same key map, so <W_Q y, W_K h_i> = <u, h_i> with u = W_K^T W_Q y, and no key is made: of
// n earlier layers the cost is that of one. W_K^T W_Q is multiplied out where that is less work than two products.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>
#include <type_traits>

#include "../../../core/parameter.hpp"
#include "../product/product.hpp"
#include "../rows/row.hpp"

namespace aila::inline v0::cpu {

/// Sizes of a query: Heads heads of Key Scalars, from `Own` features, against `Before` features.
template <std::size_t Heads, std::size_t Key, std::size_t Own, std::size_t Before>
struct QuerySizes {
  static constexpr std::size_t heads = Heads, key = Key, own = Own, before = Before;
  static constexpr std::size_t queries = Heads * Key;
  static constexpr std::size_t width = Heads * Before;  ///< of u: one row of Before Scalars a head
  static constexpr bool multiplied_out = Own * Before <= Key * (Own + Before);
};

/// W_K^T W_Q of each head, one matrix [Heads Before, Own].
template <class S, class Arch, class Sizes>
struct QueryInOne : Sizes {
  using Sizes::before, Sizes::heads, Sizes::key, Sizes::own, Sizes::width;
  static constexpr std::size_t kept = 0;  ///< Scalars a row beside u that backward reads
  static constexpr std::size_t forward_at = 0;
  static constexpr std::size_t back_at = round_up(packed_size<S, Arch>(own, width), alignment_elements);
  static constexpr std::size_t matrix_at = back_at + round_up(packed_size<S, Arch>(width, own), alignment_elements);
  static constexpr std::size_t packed = matrix_at + round_up(width * own, alignment_elements);

  static void pack(const S* query, const S* key_map, S* to) {
    S* const matrix = to + matrix_at;
    std::fill_n(matrix, width * own, S(0));
    for (std::size_t h = 0; h < heads; ++h)
      multiply_transposed_add<S, Arch>(key, before, own, key_map + h * key * before, before, query + h * key * own, own,
                                       matrix + h * before * own, own);
    cpu::pack<S, Arch>(matrix, 1, own, own, width, to + forward_at);
    cpu::pack<S, Arch>(matrix, own, 1, width, own, to + back_at);
  }

  /// u [rows, width]
  static void forward(std::size_t rows, const S* packed_maps, const S* y, S*, S* u) {
    multiply_packed<S, Arch>(rows, own, width, y, own, 1, packed_maps + forward_at, nullptr, u, width, false);
  }

  static constexpr std::size_t scratch(std::size_t) {
    return round_up(width * own, alignment_elements) + round_up(packed_size<S, Arch>(before, own), alignment_elements) +
           round_up(packed_size<S, Arch>(own, before), alignment_elements);
  }
  static void begin(S* space) { std::fill_n(space, width * own, S(0)); }
  /// dy += , and the gradient of the matrix, which stays in scratch until `finish`.
  static void backward(std::size_t rows, const S* packed_maps, const S* y, const S*, const S* du, S* dy, S* space,
                       Gradients<S> g) {
    multiply_packed<S, Arch>(rows, width, own, du, width, 1, packed_maps + back_at, nullptr, dy, own, true);
    if (g) multiply_transposed_add<S, Arch>(rows, width, own, du, width, y, own, space, own);
  }
  /// dW_Q += W_K dM, dW_K += W_Q dM^T, head by head.
  static void finish(Weights<S> w, S* space, Gradients<S> g) {
    S* const columns = space + round_up(width * own, alignment_elements);
    S* const rows = columns + round_up(packed_size<S, Arch>(before, own), alignment_elements);
    for (std::size_t h = 0; h < heads; ++h) {
      const S* const d_matrix = space + h * before * own;
      cpu::pack<S, Arch>(d_matrix, own, 1, before, own, columns);
      multiply_packed<S, Arch>(key, before, own, w[1] + h * key * before, before, 1, columns, nullptr,
                               g[0] + h * key * own, own, true);
      cpu::pack<S, Arch>(d_matrix, 1, own, own, before, rows);
      multiply_packed<S, Arch>(key, own, before, w[0] + h * key * own, own, 1, rows, nullptr, g[1] + h * key * before,
                               before, true);
    }
  }
};

/// q = W_Q y, then u = W_K^T q of each head.
template <class S, class Arch, class Sizes>
struct QueryInTwo : Sizes {
  using Sizes::before, Sizes::heads, Sizes::key, Sizes::own, Sizes::queries, Sizes::width;
  static constexpr std::size_t kept = queries;
  static constexpr std::size_t back_at = round_up(packed_size<S, Arch>(own, queries), alignment_elements);
  static constexpr std::size_t key_at = back_at + round_up(packed_size<S, Arch>(queries, own), alignment_elements);
  static constexpr std::size_t key_size = round_up(packed_size<S, Arch>(key, before), alignment_elements);
  static constexpr std::size_t key_back_at = key_at + heads * key_size;
  static constexpr std::size_t key_back_size = round_up(packed_size<S, Arch>(before, key), alignment_elements);
  static constexpr std::size_t packed = key_back_at + heads * key_back_size;

  static void pack(const S* query, const S* key_map, S* to) {
    cpu::pack<S, Arch>(query, 1, own, own, queries, to);
    cpu::pack<S, Arch>(query, own, 1, queries, own, to + back_at);
    for (std::size_t h = 0; h < heads; ++h) {
      const S* const of_head = key_map + h * key * before;
      cpu::pack<S, Arch>(of_head, before, 1, key, before, to + key_at + h * key_size);
      cpu::pack<S, Arch>(of_head, 1, before, before, key, to + key_back_at + h * key_back_size);
    }
  }

  static void forward(std::size_t rows, const S* packed_maps, const S* y, S* q, S* u) {
    multiply_packed<S, Arch>(rows, own, queries, y, own, 1, packed_maps, nullptr, q, queries, false);
    for (std::size_t h = 0; h < heads; ++h)
      multiply_packed<S, Arch>(rows, key, before, q + h * key, queries, 1, packed_maps + key_at + h * key_size, nullptr,
                               u + h * before, width, false);
  }

  static constexpr std::size_t scratch(std::size_t rows) { return round_up(rows * queries, alignment_elements); }
  static void begin(S*) {}
  static void backward(std::size_t rows, const S* packed_maps, const S* y, const S* q, const S* du, S* dy, S* dq,
                       Gradients<S> g) {
    for (std::size_t h = 0; h < heads; ++h) {
      multiply_packed<S, Arch>(rows, before, key, du + h * before, width, 1,
                               packed_maps + key_back_at + h * key_back_size, nullptr, dq + h * key, queries, false);
      if (g)
        multiply_transposed_add<S, Arch>(rows, key, before, q + h * key, queries, du + h * before, width,
                                         g[1] + h * key * before, before);
    }
    multiply_packed<S, Arch>(rows, queries, own, dq, queries, 1, packed_maps + back_at, nullptr, dy, own, true);
    if (g) multiply_transposed_add<S, Arch>(rows, queries, own, dq, queries, y, own, g[0], own);
  }
  static void finish(Weights<S>, S*, Gradients<S>) {}
};

template <class S, class Arch, class Sizes>
using AttentionQuery =
    std::conditional_t<Sizes::multiplied_out, QueryInOne<S, Arch, Sizes>, QueryInTwo<S, Arch, Sizes>>;

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
