// Stacks: the layers in their order, with what a policy puts around them.
#pragma once

#include "../../core/macros_aside.hpp"

#include <string>
#include <vector>

#include "plan_kernel.hpp"
#include "stack_planner.hpp"

namespace aila::inline v0 {

namespace detail {

template <class L, class In, class BackendType>
struct StackComposite {
  static constexpr const char* name = "stack";
  using Backend = BackendType;
  using Input = In;
  using Plan = typename L::template Plan<In>;
  using Parts = StackParts<Plan, Backend>;
  static constexpr std::size_t depth = Plan::depth;
  template <std::size_t... Room>
  using Tables = typename StackTables<depth>::template On<Room...>;

  static std::vector<std::string> part_paths(const std::string& path) {
    using Numbers = StackNumbers<Plan::hooked>;
    const std::string inside = path.empty() ? std::string() : path + ".";
    std::vector<std::string> paths;
    paths.reserve(Numbers::of_layer * depth + 2);
    if (Plan::hooked) paths.push_back(inside + "begin");
    for (std::size_t j = 0; j < depth; ++j)
      for (const char* const part : Numbers::names) paths.push_back(inside + std::to_string(j) + part);
    if (Plan::hooked) paths.push_back(inside + "end");
    return paths;
  }

  template <class Tables>
  static consteval void plan_into(Tables& plan) {
    StackPlanner<Plan, In, Parts, Tables>{plan};
  }
};

}  // namespace detail

/// Whether this is the kernel of a stack, whose layers can be called one by one.
template <class K>
inline constexpr bool is_stack_kernel = false;
template <class L, class In, class Backend>
inline constexpr bool is_stack_kernel<PlanKernel<detail::StackComposite<L, In, Backend>>> = true;

template <class L, class In, PlanBackend Backend>
  requires(L::is_stack)
PlanKernel<detail::StackComposite<L, In, Backend>> select_kernel(rank::Layer, Placed<L, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
