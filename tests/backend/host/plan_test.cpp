// The plans of composites: their nodes, and buffers that never hold two at a time.
#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <vector>

using namespace aila;

namespace {

using detail::PlanNode;
using detail::PlanValue;

template <class Policy, class In, class... Parts>
using KernelOf = KernelFor<Placed<Stack<Policy, Parts...>, In>, backend::Cpu>;

struct A {};
struct B {};
constexpr auto kinds = detail::kinds_of(List<A, B, detail::NoPart, A, A>{});
static_assert(kinds.count == 2 && kinds.kind[0] == 0 && kinds.kind[1] == 1 && kinds.kind[3] == 0);
static_assert(kinds.kind[2] == kinds.none && kinds.slot[4] == 2 && kinds.entries[0] == 3 && kinds.first[1] == 1);

constexpr std::uint32_t nobody = ~std::uint32_t{0};

/// Goes through the nodes as the kernel does, and says what it would find overwritten: by a value in the same buffer,
/// or because the buffer's life is over.
template <class Kernel>
std::vector<const char*> faults_of_values(bool keeps) {
  constexpr const auto& plan = Kernel::plan;
  const std::size_t form = keeps ? 1 : 0;
  const auto& buffers = plan.buffers[form];
  std::vector<const char*> found;
  std::vector<std::uint32_t> holds(buffers.count, nobody);
  std::vector<bool> written(plan.values, false);
  written[0] = true;
  const auto look_for = [&](std::uint32_t v, std::size_t now, bool back, const char* fault) {
    if (plan.value[v].is_external) return;
    const detail::PlanBuffer& of = buffers.at[plan.value[v].buffer[form]];
    if (holds[plan.value[v].buffer[form]] != v) found.push_back(fault);
    if (back ? now < of.until || of.until == PlanNode::none
             : now < of.first || (now > of.last && of.until > plan.nodes))
      found.push_back("a node needs a buffer that is not alive");
  };
  for (std::size_t i = 0; i < plan.nodes; ++i) {
    const PlanNode& n = plan.node[i];
    for (std::size_t r = n.read; r < n.read + n.reads; ++r) {
      if (!written[plan.read[r].value]) found.push_back("a node reads what nobody has written");
      look_for(plan.read[r].value, i, false, "a node reads what was overwritten");
    }
    if (written[n.writes] && n.column == 0) found.push_back("two nodes write one value");
    if (plan.value[n.writes].is_external) continue;
    const std::uint32_t buffer = plan.value[n.writes].buffer[form];
    if (buffers.at[buffer].elements < plan.value[n.writes].elements) found.push_back("a buffer is too small");
    if (!written[n.writes]) {
      for (std::size_t r = n.read; r < n.read + n.reads; ++r)
        if (!plan.value[plan.read[r].value].is_external && plan.value[plan.read[r].value].buffer[form] == buffer &&
            !(n.forward_in_place && r == n.read))
          found.push_back("a node that is not made for it writes over its input");
      holds[buffer] = n.writes;
    }
    look_for(n.writes, i, false, "a part of a joined map was overwritten");
    if (!keeps && n.fold != PlanNode::none && !plan.value[plan.node[n.fold_end].writes].is_external &&
        buffers.at[plan.value[plan.node[n.fold_end].writes].buffer[0]].first > i)
      found.push_back("a fold writes to a buffer that is not alive");
    written[n.writes] = true;
  }
  for (std::size_t i = plan.nodes; keeps && i-- > 0;) {
    const PlanNode& n = plan.node[i];
    for (std::size_t r = n.read; n.needs_input && r < n.read + n.reads; ++r)
      look_for(plan.read[r].value, i, true, "backward reads an input that was overwritten");
    if (n.needs_output) look_for(n.writes, i, true, "backward reads an output that was overwritten");
  }
  return found;
}

/// Goes back through the nodes as the kernel does, and says what it would find wrong.
template <class Kernel>
std::vector<const char*> faults_of_gradients() {
  constexpr const auto& plan = Kernel::plan;
  std::vector<const char*> found;
  std::vector<std::uint32_t> owner(plan.gradients.count, nobody);
  const auto buffer_of = [&](std::uint32_t v) { return plan.value[v].gradient; };
  const auto look_for_life = [&](std::uint32_t buffer, std::size_t now) {
    if (now > plan.gradients.at[buffer].first || now < plan.gradients.at[buffer].last)
      found.push_back("a node needs a gradient that is not alive");
  };
  for (std::size_t i = plan.nodes; i-- > 0;) {
    const PlanNode& n = plan.node[i];
    const std::uint32_t up = buffer_of(n.writes);
    if (up != nobody && owner[up] != n.writes) found.push_back("a gradient is not there");
    if (up != nobody) look_for_life(up, i);
    for (std::size_t r = n.read; r < n.read + n.reads; ++r) {
      const std::uint32_t number = plan.read[r].value, own = buffer_of(number);
      if (own == nobody) {
        if (number != 0 && (n.sort != PlanNode::Sort::add || up != nobody)) found.push_back("a gradient has no memory");
        continue;
      }
      look_for_life(own, i);
      if (plan.read[r].last) {
        if (own == up && !(n.backward_in_place && r == n.read)) found.push_back("a gradient is written over another");
        if (own != up && owner[own] != nobody) found.push_back("a gradient takes the buffer of another");
        if (plan.gradients.at[own].elements < plan.value[number].elements) found.push_back("a buffer is too small");
        owner[own] = number;
      } else if (owner[own] != number) {
        found.push_back("a gradient was given away");
      }
    }
    if (up != nobody && n.column == 0 && owner[up] == n.writes) owner[up] = nobody;
  }
  return found;
}

template <class Kernel>
std::vector<const char*> faults() {
  std::vector<const char*> found = faults_of_values<Kernel>(false);
  for (const char* fault : faults_of_values<Kernel>(true)) found.push_back(fault);
  for (const char* fault : faults_of_gradients<Kernel>()) found.push_back(fault);
  return found;
}

template <class Policy>
void check_policy() {
  CHECK(faults<KernelOf<Policy, Sequence<6, 2>, Repeat<7, Lstm<8>>>>().empty());
  CHECK(faults<KernelOf<Policy, Sequence<6, 8>, Lstm<8>, Epilogue<Identity>>>().empty());
  CHECK(faults<KernelOf<Policy, Sequence<6, 2>, Repeat<4, Linear<8>>, Epilogue<Identity>>>().empty());
  CHECK(faults<KernelOf<Policy, Image<8, 8, 3>, Conv<8, Kernel<3>, Padding<1>>, Conv<8, Kernel<3>, Padding<1>>,
                        Conv<8, Kernel<3>, Stride<2>, Padding<1>>, Conv<8, Kernel<3>, Padding<1>>,
                        Conv<8, Kernel<3>, Stride<2>, Padding<1>>>>()
            .empty());
}

template <std::size_t Depth>
struct Plain : Network<Sequence<6, 8>, Stack<integrate::None, Repeat<Depth, Linear<8>>>> {};
template <std::size_t Depth, Capability C>
constexpr std::size_t memory_of_plain = Workspace<Plain<Depth>, backend::Cpu, C>::size(4);

}  // namespace

TEST_CASE("chains, sums and both directions find what they need in their buffers") {
  using ConvBlock = Chain<Conv<8>, BatchNorm<>, Relu, Conv<8>, BatchNorm<>, Relu>;
  CHECK(faults<KernelFor<Placed<ConvBlock, Image<8, 8, 3>>, backend::Cpu>>().empty());
  CHECK(
      faults<KernelFor<Placed<Residual<Conv<8>, BatchNorm<>, Silu, Conv<8>>, Image<8, 8, 8>>, backend::Cpu>>().empty());
  CHECK(faults<KernelFor<Placed<Concat<BatchNorm<>, Relu, Conv<4>>, Image<8, 8, 8>>, backend::Cpu>>().empty());
  CHECK(faults<KernelFor<Placed<SqueezeExcitation<4>, Image<8, 8, 8>>, backend::Cpu>>().empty());
  CHECK(
      faults<KernelFor<Placed<Sum<Shortcut<8>, Chain<Relu, Conv<8>>, Relu>, Image<8, 8, 8>>, backend::Cpu>>().empty());
  CHECK(faults<KernelFor<Placed<Bidirectional<Lstm<8>>, Sequence<6, 2>>, backend::Cpu>>().empty());
  CHECK(faults<KernelFor<Placed<Chain<Lstm<8>, Tanh, Dropout<10>, LayerNorm, Relu, LastStep>, Sequence<6, 2>>,
                         backend::Cpu>>()
            .empty());
}

TEST_CASE("maps that backward does not look at take no memory of their own") {
  using Blocks = KernelFor<Placed<Chain<Repeat<8, Conv<8>, BatchNorm<>, Relu>>, Image<8, 8, 8>>, backend::Cpu>;
  std::size_t kept = 0;
  for (std::size_t b = 0; b < Blocks::plan.buffers[1].count; ++b)
    kept += Blocks::plan.buffers[1].at[b].until == PlanNode::none ? 0 : 1;
  CHECK(kept == 15);  // what each normalisation reads, and what each convolution reads but the first
}

TEST_CASE("buffers of gradients are used again, and never for two gradients at a time") {
  check_policy<integrate::None>();
  check_policy<integrate::Residual>();
  check_policy<integrate::DenseNet>();
  check_policy<integrate::Linear<>>();
  check_policy<integrate::Attention<TiedValues>>();
}

TEST_CASE("equal layers are one kind, and layers that read no earlier ones use memory again") {
  using Deep = KernelOf<integrate::None, Sequence<6, 2>, Repeat<32, Lstm<8>>>;
  CHECK(Deep::layer_kinds == 3);  // the first core, the others, the epilogue
  CHECK(Deep::plan.nodes == 64);
  using Attending = KernelOf<integrate::Attention<>, Sequence<6, 2>, Repeat<32, Lstm<8>>>;
  CHECK(Attending::layer_kinds == 3);
  CHECK(Attending::mixture_kinds == 2);          // over one map, and over more
  CHECK(Attending::plan.gradients.count == 32);  // d h_j, in which that of y_j + a_j and of y_j are, too
  using Linearly = KernelOf<integrate::Linear<>, Sequence<6, 2>, Repeat<32, Lstm<8>>>;
  CHECK(Linearly::mixture_kinds == 1);
  // Predicting, a layer more needs no memory more. Training, what its norm reads and what the next layer reads.
  CHECK(memory_of_plain<9, Capability::predict> == memory_of_plain<5, Capability::predict>);
  constexpr std::size_t maps = 4 * 2 * 4 * 6 * 8,
                        added = memory_of_plain<9, Capability::train> - memory_of_plain<5, Capability::train>;
  CHECK(added >= maps);
  CHECK(added < maps + maps / 4);
}
