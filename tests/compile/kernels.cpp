// expect 1: aila: this layer has no kernel on this backend; give it a body or kernel
// expect 2: aila: this layer has no kernel on this backend; give it a body or kernel
// expect 3: aila: this layer has no kernel on this backend; give it a body or kernel
// expect 4: aila: two kernels of one rank for this layer on this backend; keep one
// expect 5: aila: two kernels of one rank for this layer on this backend; keep one
#include <aila/aila.hpp>

namespace mine {

using namespace aila;

struct Described {  // a description without behaviour
  template <RealShape In>
  using Out = In;
};

template <class In, class Backend>
struct Copy : KernelDefaults<typename Backend::Scalar> {
  using S = typename Backend::Scalar;
  template <Capability>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t i = 0; i < pass.samples * In::elements; ++i) y[i] = x[i];
  }
  template <Capability>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    for (std::size_t i = 0; i < pass.samples * In::elements; ++i) dx[i] += dy[i];
  }
};

struct Copied : Described {};
#if defined(MUST_FAIL_4)
template <class In, HostBackend Backend>
Copy<In, Backend> select_kernel(rank::Layer, Placed<Copied, In>, Backend);
#endif
#if defined(MUST_FAIL_2)  // for the other backend only
template <class In, class S>
Copy<In, backend::Reference<S>> select_kernel(rank::Layer, Placed<Copied, In>, backend::Reference<S>);
#else
template <class L, class In, class Arch, class S>
  requires std::same_as<L, Copied>
Copy<In, backend::CpuOn<Arch, S>> select_kernel(rank::Layer, Placed<L, In>, backend::CpuOn<Arch, S>);
#endif

struct Mean : integrate::Policy {};  // a policy without a body
#if defined(MUST_FAIL_5)
template <class Own, class Before>
Copy<Own, backend::Cpu> select_kernel(rank::Layer, Integration<Mean, Own, Before>, backend::Cpu);
template <class Own, class S, std::size_t N, HostBackend Backend>
Copy<Own, Backend> select_kernel(rank::Layer, Integration<Mean, Own, SameShapes<S, N>>, Backend);
#endif

}  // namespace mine

using namespace aila;

#if defined(MUST_FAIL_1)
struct Net : Network<Sequence<12, 1>, Chain<Linear<8>, mine::Described>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_3) || defined(MUST_FAIL_5)
struct Net : Network<Sequence<12, 1>, Stack<mine::Mean, Repeat<2, Linear<8>>>, LastStep, Linear<1>> {};
#else
struct Net : Network<Sequence<12, 1>, Repeat<2, mine::Copied>, LastStep, Linear<1>> {};
#endif

#include "every_use.hpp"
