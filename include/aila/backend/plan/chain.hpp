// Chains, with or without the input joined to their result: the layers one after the other.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../compose/merge.hpp"
#include "plan_kernel.hpp"

namespace aila::inline v0 {

namespace detail {

/// Whether Kernel can take the batch normalisation behind it into its weights.
template <class Kernel, class Next>
inline constexpr bool folds_into = false;
template <class Kernel, class Next>
  requires requires {
    typename Kernel::Channels;
    requires Next::Layer::is_batch_norm;
  }
inline constexpr bool folds_into<Kernel, Next> = true;

/// The element-wise layer that part I is, which a folded kernel applies to its outputs, else Identity.
template <class Children, std::size_t I, class S>
struct AfterFold {
  using type = Identity;
};
template <class Children, std::size_t I, class S>
  requires(I < Children::size &&
           requires(S v) { At < Children, I<Children::size ? I : 0>::Layer::template value<S>(v); })
struct AfterFold<Children, I, S> {
  using type = typename At<Children, I>::Layer;
};

/// Of each part of a chain, the fold that begins with it: in prediction a convolution, the batch normalisation behind
/// it and an activation behind that are one pass.
template <class Children, std::size_t I, class Backend>
consteval auto fold_of_part() {
  if constexpr (I + 1 < Children::size) {
    using Part = At<Children, I>;
    using Next = At<Children, I + 1>;
    if constexpr (folds_into<KernelFor<Part, Backend>, Next>) {
      using After = typename AfterFold<Children, I + 2, typename Backend::Scalar>::type;
      return std::type_identity<Fold<Part, Next, After>>{};
    } else {
      return std::type_identity<NoPart>{};
    }
  } else {
    return std::type_identity<NoPart>{};
  }
}
template <class Children, class Backend, class Indices = std::make_index_sequence<Children::size>>
struct FoldsOf;
template <class Children, class Backend, std::size_t... I>
struct FoldsOf<Children, Backend, std::index_sequence<I...>> {
  using type = List<typename decltype(fold_of_part<Children, I, Backend>())::type...>;
  static constexpr std::array<std::size_t, sizeof...(I) + 1> parts{parts_of_fold<At<type, I>>...};
};

/// A chain as a composite of a backend: the nodes of its layers, and what becomes of its input beside them.
template <class L, class In, class BackendType>
struct ChainComposite {
  static constexpr const char* name = "chain";
  using Backend = BackendType;
  using Input = In;
  using Plan = typename L::template Plan<In>;
  using Children = typename Plan::Children;
  using Folds = FoldsOf<Children, Backend>;
  using Parts = LayersAlone<Children, Backend, typename Folds::type>;
  static constexpr std::size_t size = Children::size;
  static constexpr Joint joint = joint_of<L>();
  template <std::size_t... Room>
  using Tables = PlanTables<Room...>;

  static std::vector<std::string> part_paths(const std::string& path) { return child_paths(path, Children{}); }

  template <class Tables>
  static consteval void plan_into(Tables& plan) {
    PlanBuilder<Tables> build(plan, In::elements, features_of<In>());
    std::uint32_t last = plan.input, level = 0;
    std::size_t taken_in = 0;  // parts that a fold has still to take in
    for (std::size_t i = 0; i < size; ++i) {
      PlanNode n;
      if (taken_in > 0) {
        n.is_inside_fold = true;
        --taken_in;
      } else if (Folds::parts[i] > 0) {
        n.fold = Parts::fold_kinds.kind[i];
        n.fold_end = static_cast<std::uint32_t>(i + Folds::parts[i] - 1);
        taken_in = Folds::parts[i] - 1;
      }
      // A normalisation and the part that takes it in are one piece of packing, the normalisation's.
      NodeFacts facts = Parts::layer[i];
      if (Folds::parts[i] > 0)
        facts.pieces = 0;
      else if (i > 0 && Folds::parts[i - 1] > 0)
        facts.pieces = 1;
      last = build.layer(facts, Parts::layer_kinds, i, i, Plan::first_tensor[i], last, level, n);
    }
    for (std::size_t i = 0; i < size; ++i)  // folded weights lie behind those of all parts
      if (Folds::parts[i] > 0) {
        const std::size_t at = build.take_packed(Parts::layer[i].packed);
        if (i < plan.room()) plan.node[i].fold_packed = static_cast<std::uint32_t>(at);
      }
    build.end(join(build, last, level));
  }

 private:
  template <class Builder>
  static consteval std::uint32_t join(Builder& build, std::uint32_t result, std::uint32_t level) {
    if constexpr (joint == Joint::none) {
      return result;
    } else {
      using Out = typename L::template Out<In>;
      const std::uint32_t y = build.add_value(Out::elements, Out::features, level);
      if constexpr (joint == Joint::concatenates) {
        build.joint({.sort = PlanNode::Sort::place, .writes = y}, {0U});
        build.joint({.sort = PlanNode::Sort::place, .writes = y, .column = In::features}, {result});
      } else if constexpr (joint == Joint::adds) {
        build.joint({.sort = PlanNode::Sort::add, .writes = y}, {0U, result});
      } else {
        build.joint({.sort = PlanNode::Sort::scale, .writes = y, .needs_input = true}, {0U, result});
      }
      return y;
    }
  }
};

}  // namespace detail

template <class L, class In, PlanBackend Backend>
  requires(L::is_chain)
PlanKernel<detail::ChainComposite<L, In, Backend>> select_kernel(rank::Layer, Placed<L, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
