// Embedding on the host: copies of rows, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../layer/embedding.hpp"
#include "../kernel.hpp"

namespace aila::inline v0 {

template <std::size_t Width, class In, class Backend>
struct EmbeddingKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host embedding";
  using S = typename Backend::Scalar;
  static constexpr std::size_t stride = round_up(Width, alignment_elements);

  template <Capability C>
  static void forward(const Pass& pass, Weights<S>, const S*, const std::int32_t* x, S* y, NothingSaved&, S*) {
    const TableRef table = pass.tables == nullptr ? TableRef{} : *pass.tables;
    const auto* const rows = static_cast<const S*>(table.rows);
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t t = 0; t < In::positions; ++t, ++x, y += Width) {
        if (t < pass.length(n, In::positions) && names_row(*x, table.count))
          std::copy_n(rows + static_cast<std::size_t>(*x) * stride, Width, y);
        else
          std::fill_n(y, Width, S(0));
      }
  }

  template <Capability C>
  static void backward(const Pass& pass, Weights<S>, const S*, const std::int32_t* x, const S*, const S* dy, S*,
                       Gradients<S> g, NothingSaved&, S*) {
    if (!g || pass.row_gradients == nullptr || pass.row_gradients->rows == nullptr || pass.tables == nullptr) return;
    RowGradients& taken = *pass.row_gradients;
    auto* values = static_cast<S*>(taken.values);
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t t = 0; t < In::positions; ++t, ++x, dy += Width) {
        if (t >= pass.length(n, In::positions) || !names_row(*x, pass.tables->count)) continue;
        std::copy_n(dy, Width, values + taken.count * stride);
        taken.rows[taken.count++] = *x;
      }
  }

 private:
  static constexpr bool names_row(std::int32_t token, std::size_t rows) {
    return token >= 0 && static_cast<std::size_t>(token) < rows;
  }
};

template <std::size_t Width, class... Options, class In, HostBackend Backend>
EmbeddingKernel<Width, In, Backend> select_kernel(rank::Layer, Placed<Embedding<Width, Options...>, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
