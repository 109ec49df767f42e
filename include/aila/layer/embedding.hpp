// Embedding: a row of a table for each token.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/layer.hpp"
#include "../core/option.hpp"

namespace aila::inline v0 {

namespace role {
struct MostRows;
}

/// Embedding's option: the most rows that its table may get.
template <std::size_t N>
struct MostRows {
  using role = role::MostRows;
  static constexpr std::size_t value = N;
};

namespace detail {
template <std::size_t width, std::size_t rows>
struct NoRows {
  static consteval int say() {
    constexpr bool wide = width > 0;
    constexpr bool some = !wide || (rows > 0 && rows <= 0x7fffffff);
    static_assert(wide, "aila: Embedding needs a width of at least one");
    static_assert(some, "aila: MostRows takes 1 to 2,147,483,647 rows, the numbers that a token can name");
    return 0;
  }
};
}  // namespace detail

/// y_t = row x_t of the table: tokens [steps] -> [steps, Width]. Steps beyond a sample's length, and tokens that name
/// no row, give zeros.
///
/// How many rows `weight` [rows, Width] has is known when the program runs, up to `MostRows<N>` (1,000,000):
/// `Model<Net>{Seed{7}, {vocabulary.size()}}` draws them from a normal distribution, as PyTorch does, and
/// `model.table("embedding.weight").assign(...)` sets them to word vectors. The table is no part of the canonical
/// array; it is saved and loaded with it. Gradients are of the rows that a batch takes alone, and the optimiser changes
/// those rows alone ("lazily": their moments rest meanwhile), without weight decay. `Frozen<Embedding<Width>>` keeps
/// it.
template <std::size_t Width, class... Options>
struct Embedding {
  static constexpr const char* name = "embedding";
  using Choice = OptionsOf<Embedding, List<role::MostRows>, Options...>;
  static constexpr std::size_t most_rows = Choice::template Pick<role::MostRows, MostRows<1'000'000>>::value;
  using Refusal = std::conditional_t<(Width > 0 && most_rows > 0 && most_rows <= 0x7fffffff), detail::RefusalOf<Choice>,
                                     detail::NoRows<Width, most_rows>>;

  template <class In>
  static constexpr bool accepts = In::is_tokens;
  template <class In>
  static consteval int expect() {
    constexpr bool tokens = In::is_tokens;
    static_assert(tokens, "aila: Embedding takes Tokens; this input has real features");
    return 0;
  }
  template <class In>
  using Out = Sequence<In::positions, Width>;
  template <class In>
  static constexpr bool streams = true;
  template <class In>
  static consteval TableSpec table() {
    return {.name = "weight", .width = Width, .most_rows = most_rows, .initial = init::normal(1)};
  }
  template <class In>
  static consteval std::size_t flops() {
    return 0;
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
