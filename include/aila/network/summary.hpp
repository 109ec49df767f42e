// The table of a network: layers, shapes, parameters, operations, memory and kernels.
#pragma once

#include "../core/macros_aside.hpp"

#include <array>
#include <string>
#include <vector>

#include "../backend/cpu.hpp"
#include "../compose/describe.hpp"
#include "../compose/walk.hpp"
#include "graph.hpp"
#include "workspace.hpp"

namespace aila::inline v0 {

namespace detail {

/// A kernel's `name`, such as "cpu lstm, whole sequence".
template <class Kernel>
constexpr const char* kernel_name() {
  if constexpr (requires { Kernel::name; })
    return Kernel::name;
  else
    return "own kernel";
}

/// Elements of memory that a kernel keeps between forward and backward of one sample.
template <class Kernel>
consteval std::size_t saved_elements() {
  using Scalar = typename Kernel::Scalar;
  Arena<Scalar> arena;
  typename Kernel::template Saved<Capability::train> saved{};
  saved.bind(arena, 1);
  return arena.used();
}

inline constexpr std::size_t summary_columns = 7;
using SummaryRow = std::array<std::string, summary_columns>;

template <class Backend>
struct SummaryRows {
  std::vector<SummaryRow>& rows;
  const char* fused = nullptr;  ///< the kernel of the composite around a part, where one computes it as a whole

  template <class Part>
  void operator()(const std::string& path) const {
    using Traits = PartTraits<Part>;
    if constexpr (CompositePart<Part>) {
      const char* whole = fused;
      using Whole = typename Selected<Part, Backend>::Fused;
      if constexpr (Selected<Part, Backend>::template usable<Whole>)
        if (whole == nullptr) whole = kernel_name<Whole>();
      Part::Layer::template for_each_part<typename Part::In>(path, SummaryRows{rows, whole});
    } else if constexpr (!Traits::is_nothing) {
      using Kernel = KernelFor<Part, Backend>;
      std::size_t width = 0;
      if constexpr (requires { Part::Layer::template table<typename Part::In>(); })
        width = Part::Layer::template table<typename Part::In>().width;
      constexpr std::size_t kept = Traits::Out::elements + saved_elements<Kernel>();
      add(path, part_facts<Part>, width, Part::flops, kept * sizeof(typename Backend::Scalar), kernel_name<Kernel>());
    }
  }

 private:
  void add(const std::string& path, const PartFacts& facts, std::size_t row_width, std::size_t operations,
           std::size_t bytes, const char* kernel) const {
    rows.push_back({path, facts.kind(), facts.shape(),
                    row_width > 0 ? "rows x " + thousands(row_width) : thousands(facts.parameters),
                    thousands(operations), thousands(bytes), fused != nullptr ? fused : kernel});
  }
};

/// Rows with aligned columns, numbers to the right, and a rule under the first row.
inline std::string aligned(const std::vector<SummaryRow>& rows) {
  std::array<std::size_t, summary_columns> width{};
  for (const SummaryRow& row : rows)
    for (std::size_t c = 0; c < summary_columns; ++c) width[c] = row[c].size() > width[c] ? row[c].size() : width[c];
  std::string text;
  for (const SummaryRow& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < summary_columns; ++c) {
      const std::string gap(width[c] - row[c].size(), ' ');
      const bool is_number = c >= 3 && c <= 5;
      line += (c > 0 ? "  " : "") + (is_number ? gap + row[c] : row[c] + gap);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    if (text.empty()) {
      std::size_t whole = 2 * (summary_columns - 1);
      for (std::size_t w : width) whole += w;
      line.append("\n").append(whole, '-');
    }
    text += line + "\n";
  }
  return text;
}

inline std::string tables_not_counted(std::size_t tables) {
  if (tables == 0) return {};
  return tables == 1 ? "; the rows of a table are not counted"
                     : "; the rows of " + std::to_string(tables) + " tables are not counted";
}

inline std::string hexadecimal(std::uint64_t n) {
  std::string text(16, '0');
  for (std::size_t i = text.size(); i-- > 0; n /= 16) text[i] = "0123456789abcdef"[n % 16];
  return text;
}

}  // namespace detail

/// The network as a table, a line a layer, and totals below it; ends with a newline.
///
/// FLOPs are those of a forward pass of one sample. Memory is a layer's share of a training workspace for one sample,
/// in bytes: its output, which may share memory with others, and what its kernel keeps for backward. The whole
/// workspace, in the totals, has the input, the gradients of maps and scratch memory beside that. A layer whose kernel
/// has no name computes in its "own kernel".
template <class Net, ComputeBackend Backend = backend::Cpu>
std::string summary() {
  using Placed = PlacedNetwork<Net>;
  std::vector<detail::SummaryRow> rows{{"layer", "kind", "output", "parameters", "FLOPs", "memory", "kernel"}};
  rows.push_back({"input", "", shape_text<typename Placed::In>(), "", "", "", ""});
  detail::SummaryRows<KernelsOf<Backend>>{rows}.template operator()<Placed>(std::string());

  constexpr std::size_t trainable = detail::count_of_kind<Placed>(ParameterKind::trainable);
  constexpr std::size_t frozen = detail::count_of_kind<Placed>(ParameterKind::frozen);
  constexpr std::size_t buffers = detail::count_of_kind<Placed>(ParameterKind::buffer);
  // At run time: of a deep network to plan its memory is more than compilers like to do.
  constexpr auto bytes = [](std::size_t elements) { return elements * sizeof(typename Backend::Scalar); };
  return detail::aligned(rows) + "\nparameters        " + thousands(trainable + frozen) + " (" + thousands(trainable) +
         " trainable, " + thousands(frozen) + " frozen), and " + thousands(buffers) + " numbers in buffers" +
         detail::tables_not_counted(tables_of<Net, typename Placed::In>()) + "\nFLOPs             " +
         thousands(flops<Net>) + " a sample, forward" +  //
         "\nworkspace         " + thousands(bytes(Workspace<Net, Backend, Capability::predict>::size(1))) +
         " bytes to predict one sample, " + thousands(bytes(Workspace<Net, Backend, Capability::train>::size(1))) +
         " to train on one" +  //
         "\nbackend           " + Backend::name + "\ndescription hash  " +
         detail::hexadecimal(description_hash<Net>()) + "\n";
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
