// A network for which somebody has announced one kernel, on its own input; its layers might go step by step.
#include <aila/aila.hpp>

using namespace aila;

struct Net : Network<Sequence<12, 2>, Lstm<8>, Gru<8>, LastStep, Linear<1>> {};
struct WholeNet : KernelDefaults<float> {
  template <Capability>
  static void forward(const Pass&, Weights<float>, const float*, const float*, float*, NothingSaved&, float*) {}
};
WholeNet select_kernel(rank::Fused, Placed<Net, Sequence<12, 2>>, backend::Cpu);
