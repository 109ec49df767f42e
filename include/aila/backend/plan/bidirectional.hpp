// Bidirectional: the layer twice, once over the steps in reverse.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../compose/bidirectional.hpp"
#include "plan_kernel.hpp"

namespace aila::inline v0 {

namespace detail {
template <class L>
struct BidirectionalInPhases {
  static consteval int say() {
    constexpr bool alone = std::is_void_v<L>;
    static_assert(alone, "aila: Bidirectional holds no layer that needs the whole batch, as BatchNorm does");
    return 0;
  }
};

/// Part 0 reads the steps ahead, part 1 the reversed ones; each fills half of the output's columns.
template <class L, class In, class BackendType>
struct BidirectionalComposite {
  static constexpr const char* name = "bidirectional";
  using Backend = BackendType;
  using Input = In;
  using Each = Placed<L, In>;
  using Half = typename Each::Out;
  struct Parts : LayersAlone<List<Each, Each>, Backend> {
    using Kernel = KernelFor<Each, Backend>;
    using Refusal = std::conditional_t<phases_of<Kernel>() == 0, RefusalOf<Kernel>, BidirectionalInPhases<L>>;
    using MissingBackward = detail::MissingBackward<Kernel>;
  };
  template <std::size_t... Room>
  using Tables = PlanTables<Room...>;

  static std::vector<std::string> part_paths(const std::string& path) {
    const std::string before = path.empty() ? path : path + ".";
    return {before + "forward", before + "backward"};
  }

  /// The way back is gone first, and so comes last in backward: where the input's gradients meet, the sum keeps its
  /// order.
  template <class Tables>
  static consteval void plan_into(Tables& plan) {
    using Sort = PlanNode::Sort;
    PlanBuilder<Tables> build(plan, In::elements, In::features);
    std::uint32_t level = 0;
    const std::uint32_t reversed = build.add_value(In::elements, In::features, level);
    build.joint({.sort = Sort::reverse, .writes = reversed}, {0U});
    const auto direction = [&](std::size_t part, std::uint32_t reads) {
      PlanNode n;
      return build.layer(Parts::layer[part], Parts::layer_kinds, part, part, part * Each::tensors, reads, level, n);
    };
    const std::uint32_t back = direction(1, reversed), ahead = direction(0, plan.input);
    if (plan.room() > 0) {  // pieces of packing are in the order of tensors
      plan.node[2].first_piece = 0;
      plan.node[1].first_piece = plan.node[2].pieces;
    }
    const std::uint32_t y = build.add_value(2 * Half::elements, 2 * Half::features, level);
    build.joint({.sort = Sort::place, .writes = y}, {ahead});
    build.joint({.sort = Sort::place_reversed, .writes = y, .column = Half::features}, {back});
    build.end(y);
  }
};
}  // namespace detail

template <class L, class In, PlanBackend Backend>
PlanKernel<detail::BidirectionalComposite<L, In, Backend>> select_kernel(rank::Layer, Placed<Bidirectional<L>, In>,
                                                                         Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
