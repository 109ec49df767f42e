// Sums of layers: each layer over the same input, then one pass over their maps.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../compose/sum.hpp"
#include "plan_kernel.hpp"

namespace aila::inline v0 {

namespace detail {

template <class L, class In, class BackendType>
struct SumComposite {
  static constexpr const char* name = "sum";
  using Backend = BackendType;
  using Input = In;
  using Plan = typename L::template Plan<In>;
  using Children = typename Plan::Children;
  using Parts = LayersAlone<Children, Backend>;
  static constexpr std::size_t size = Children::size;
  template <std::size_t... Room>
  using Tables = PlanTables<Room...>;

  static std::vector<std::string> part_paths(const std::string& path) { return child_paths(path, Children{}); }

  template <class Tables>
  static consteval void plan_into(Tables& plan) {
    using Out = typename Plan::Out;
    PlanBuilder<Tables> build(plan, In::elements, features_of<In>());
    std::uint32_t map[size] = {}, level = 0;
    for (std::size_t i = 0; i < size; ++i) {
      level = 0;
      map[i] = build.layer(Parts::layer[i], Parts::layer_kinds, i, i, Plan::first_tensor[i], plan.input, level);
    }
    const std::uint32_t y = build.add_value(Out::elements, Out::features, level);
    build.joint({.sort = PlanNode::Sort::add, .writes = y}, map);
    build.end(y);
  }
};

}  // namespace detail

template <class L, class In, PlanBackend Backend>
  requires(L::is_sum)
PlanKernel<detail::SumComposite<L, In, Backend>> select_kernel(rank::Layer, Placed<L, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
