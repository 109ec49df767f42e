// The plan of a stack: its nodes, and buffers that are never two gradients' at a time.
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

/// Goes back through the nodes as the kernel does, and says what it would find wrong.
template <class Kernel>
std::vector<const char*> faults() {
  constexpr const auto& plan = Kernel::plan;
  constexpr std::uint32_t nobody = ~std::uint32_t{0};
  std::vector<const char*> found;
  std::vector<std::uint32_t> owner(plan.gradients, nobody);
  std::vector<bool> written(plan.values, false);
  written[0] = true;
  for (std::size_t i = 0; i < plan.nodes; ++i) {
    const PlanNode& n = plan.node[i];
    for (std::size_t r = n.read; r < n.read + n.reads; ++r)
      if (!written[plan.read[r].value]) found.push_back("a node reads what nobody has written");
    if (written[n.writes] && n.column == 0) found.push_back("two nodes write one value");
    written[n.writes] = true;
  }
  for (std::size_t i = plan.nodes; i-- > 0;) {
    const PlanNode& n = plan.node[i];
    const bool ends = n.writes == plan.output;
    if (!ends && owner[plan.value[n.writes].gradient] != n.writes) found.push_back("a gradient is not there");
    for (std::size_t r = n.read; r < n.read + n.reads; ++r) {
      const std::uint32_t number = plan.read[r].value;
      const PlanValue& v = plan.value[number];
      if (number == 0) continue;
      if (plan.read[r].last) {
        if (owner[v.gradient] != nobody) found.push_back("a gradient takes the buffer of another");
        if (plan.gradient_size[v.gradient] < v.elements) found.push_back("a buffer is too small");
        owner[v.gradient] = number;
      } else if (owner[v.gradient] != number) {
        found.push_back("a gradient was given away");
      }
    }
    if (!ends && n.column == 0) owner[plan.value[n.writes].gradient] = nobody;
  }
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

}  // namespace

TEST_CASE("buffers of gradients are used again, and never for two gradients at a time") {
  check_policy<integrate::None>();
  check_policy<integrate::Residual>();
  check_policy<integrate::DenseNet>();
  check_policy<integrate::Linear<>>();
  check_policy<integrate::Attention<TiedValues>>();
}

TEST_CASE("equal layers are one kind, and layers that read no earlier ones need two gradients") {
  using Deep = KernelOf<integrate::None, Sequence<6, 2>, Repeat<32, Lstm<8>>>;
  CHECK(Deep::layer_kinds == 3);  // the first core, the others, the epilogue
  CHECK(Deep::plan.nodes == 64);
  CHECK(Deep::plan.gradients == 2);
  using Attending = KernelOf<integrate::Attention<>, Sequence<6, 2>, Repeat<32, Lstm<8>>>;
  CHECK(Attending::layer_kinds == 3);
  CHECK(Attending::mixture_kinds == 2);  // over one map, and over more
  CHECK(Attending::plan.gradients == 33);
  using Linearly = KernelOf<integrate::Linear<>, Sequence<6, 2>, Repeat<32, Lstm<8>>>;
  CHECK(Linearly::mixture_kinds == 1);
}
