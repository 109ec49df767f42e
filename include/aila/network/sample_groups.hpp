// Samples of a program's own, taken through a network group by group, for tools that look at what it computes.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "../core/lengths.hpp"
#include "model.hpp"

namespace aila::inline v0::detail {

/// Goes over inputs [samples, In...] in groups, forward as in prediction but with all kept that is computed.
template <class Net, class Backend>
class SampleGroups {
 public:
  using ModelType = Model<Net, Backend>;
  using In = typename ModelType::In;
  using Element = ElementOf<In, typename ModelType::Scalar>;

  /// Calls f(workspace, pass, number of the group's first sample). Throws Error, which `who` begins, for inputs that
  /// are no whole number of samples and for lengths that are none.
  template <class F>
  static void each(const char* who, const ModelType& model, std::span<const Element> inputs,
                   std::span<const std::int32_t> lengths, F&& f) {
    constexpr std::size_t most = 16;
    const std::size_t samples = inputs.size() / In::elements;
    if (samples * In::elements != inputs.size())
      throw_error(who, ": expected inputs of ", In::elements, " elements each, found ", inputs.size(),
                  " elements in all");
    LengthRule<In>::check(who, lengths, samples);
    Workspace<Net, Backend, Capability::train> workspace(std::min(samples, most), Retain::all);
    for (std::size_t first = 0; first < samples; first += most) {
      Pass pass;
      pass.samples = std::min(most, samples - first);
      pass.lengths = workspace.take_lengths(lengths.empty() ? nullptr : lengths.data() + first, pass.samples);
      if constexpr (!shares_memory<Backend>) pass.queue = &workspace.queue();
      std::copy_n(inputs.data() + first * In::elements, pass.samples * In::elements, workspace.host_input());
      workspace.on_its_device([&] {
        workspace.expect_here(model.kernel_parameters());
        const auto refs = model.table_refs();
        pass.tables = refs.data();
        workspace.forward(pass, model.kernel_parameters(), model.packed(), workspace.send_input(pass.samples));
        f(workspace, pass, first);
      });
    }
  }
};

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
