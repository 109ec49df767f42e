// The blocks of C++ in the pages under include/aila, compiled and run as they stand there.
#include <doctest/doctest.h>

#include <aila/aila.hpp>
using namespace aila;

namespace pages {

struct Small : Network<Sequence<12, 1>, Stack<integrate::Attention<>, Repeat<3, Lstm<8>>>, LastStep, Linear<1>> {};

using WholePlaced = PlacedNetwork<Small>;  // a chain on its input
static_assert(std::is_same_v<WholePlaced::Out, Vector<1>>);
static_assert(parameter_layout<WholePlaced>.size >= parameter_count<Small>);  // tensors begin at multiples of 16

using WholeKernel = KernelFor<WholePlaced, backend::Cpu>;
static_assert(WholeKernel::nodes == 3);        // the stack, which has a plan of its own, the readout and the last layer
static_assert(WholeKernel::plan.needs_input);  // backward looks at the network's input again
static_assert(workspace_bytes<Small, backend::Cpu, Capability::predict> <
              workspace_bytes<Small, backend::Cpu, Capability::train>);

struct CountingQueue : backend::HostQueue {
  static inline std::size_t runs = 0;
  template <class F>
  void run(F&& work) const {
    ++runs;
    work();
  }
};
struct Counting : backend::OnHost<float> {
  using Queue = CountingQueue;
  using Kernels = backend::Cpu;
  static constexpr const char* name = "cpu, counted";
};
static_assert(ComputeBackend<Counting>);

const Model<Small, Counting> counted;
Predictor predict_counted{counted};

struct Halves {};  // stands for a type of two bytes
using HalfTypes = backend::Types<Halves, Halves, float>;
using Narrow = backend::CpuOn<simd::DefaultArch, float, HalfTypes>;

struct Twice {
  template <class In>
  using Out = In;
  template <class V>
  static constexpr V value(V x) {
    return x + x;
  }
};
template <class In>
struct NarrowTwice : KernelDefaults<float> {};  // and forward, and backward
template <class In, class Arch>
NarrowTwice<In> select_kernel(rank::Layer, Placed<Twice, In>, backend::CpuOn<Arch, float, HalfTypes>);

static_assert(std::is_same_v<KernelFor<Placed<Twice, Vector<4>>, Narrow>, NarrowTwice<Vector<4>>>);
static_assert(!std::is_same_v<KernelFor<Placed<Twice, Vector<4>>, backend::Cpu>, NarrowTwice<Vector<4>>>);

static_assert(GroupSplit::of(32).groups == 8 && GroupSplit::of(1024).samples == 16);
static_assert(GroupSplit::of(32, 1'000'000).groups == 4);

// What has no kernel in a backend's types is refused.
static_assert(detail::Refused<KernelFor<Placed<Linear<4>, Vector<3>>, Narrow>>);
static_assert(!detail::Refused<KernelFor<Placed<Linear<4>, Vector<3>>, backend::Cpu>>);

}  // namespace pages

TEST_CASE("a backend of one's own is asked for memory and work") {
  using namespace pages;
  const std::array<float, 12> x{0.5F, -1, 0.25F};
  const Model<Small> model;
  Predictor predict{model};
  const std::size_t before = CountingQueue::runs;
  CHECK(predict_counted(x)[0] == predict(x)[0]);
  CHECK(CountingQueue::runs == before + 1);
}
