// Kernels of a user's: for a layer, for one backend only, and for a whole network.
#include <doctest/doctest.h>

#include "gradients.hpp"
#include "samples.hpp"

namespace workshop {

using namespace aila;

/// y = 2 x, by body, and on the Cpu by a kernel that counts its calls.
struct Twice {
  template <RealShape In>
  using Out = In;
  template <class V>
  static constexpr V value(V x) {
    return x + x;
  }
  template <class V>
  static constexpr V slope(V, V) {
    return V(2);
  }
};

inline int calls = 0;

template <class In, class S>
struct CountedTwice : KernelDefaults<S> {
  static constexpr const char* name = "counted";
  template <Capability C>
  static void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    ++calls;
    for (std::size_t i = 0; i < pass.samples * In::elements; ++i) y[i] = 2 * x[i];
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx, Gradients<S>,
                       NothingSaved&, S*) {
    ++calls;
    if (dx == nullptr) return;
    for (std::size_t i = 0; i < pass.samples * In::elements; ++i) dx[i] += 2 * dy[i];
  }
};

template <class In, class Arch, class S>
CountedTwice<In, S> select_kernel(rank::Layer, Placed<Twice, In>, backend::CpuOn<Arch, S>);

/// y = x^3 / 3 without a body: there is a kernel for the reference alone.
struct Cube {
  template <RealShape In>
  using Out = In;
};

template <class In, class S>
struct ReferenceCube : KernelDefaults<S> {
  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t i = 0; i < pass.samples * In::elements; ++i) y[i] = x[i] * x[i] * x[i] / S(3);
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S* x, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    for (std::size_t i = 0; i < pass.samples * In::elements; ++i) dx[i] += x[i] * x[i] * dy[i];
  }
};

template <class In, class S>
ReferenceCube<In, S> select_kernel(rank::Layer, Placed<Cube, In>, backend::Reference<S>);

struct Doubling : Network<Vector<3>, Linear<4>, Twice, Linear<1>> {};
struct Cubing : Network<Vector<3>, Linear<4>, Cube, Linear<1>> {};

/// A network whose forward pass is written as one: y = <w, x> + b, where the library would walk its layers.
struct Line : Network<Vector<3>, Linear<1>> {};

template <class S>
struct LineKernel : KernelDefaults<S> {
  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, NothingSaved&, S*) {
    ++calls;
    for (std::size_t n = 0; n < pass.samples; ++n)
      y[n] = w[1][0] + w[0][0] * x[3 * n] + w[0][1] * x[3 * n + 1] + w[0][2] * x[3 * n + 2];
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S*, const S* dy, S* dx,
                       Gradients<S> g, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n) {
      if (g) g[1][0] += dy[n];
      for (std::size_t i = 0; i < 3; ++i) {
        if (g) g[0][i] += dy[n] * x[3 * n + i];
        if (dx != nullptr) dx[3 * n + i] += dy[n] * w[0][i];
      }
    }
  }
};

template <HostBackend Backend>
LineKernel<typename Backend::Scalar> select_kernel(rank::Fused, Placed<Line, Vector<3>>, Backend);

}  // namespace workshop

namespace aila {
namespace {

using ReferenceFloat = backend::Reference<float>;
using workshop::calls;
static_assert(std::is_same_v<KernelFor<Placed<workshop::Twice, Vector<4>>, backend::Cpu>,
                             workshop::CountedTwice<Vector<4>, float>>);
static_assert(!std::is_same_v<KernelFor<Placed<workshop::Twice, Vector<4>>, ReferenceFloat>,
                              workshop::CountedTwice<Vector<4>, float>>);
static_assert(std::is_same_v<Model<workshop::Line>::Kernel, workshop::LineKernel<float>>);

TEST_CASE("a user's kernel outranks the layer's body, where it was announced for the backend") {
  const Model<workshop::Doubling> model;
  const Model<workshop::Doubling, ReferenceFloat> reference;
  const std::array x{0.25F, -1.0F, 2.0F};
  calls = 0;
  const float expected = Predictor{reference}(x)[0];
  CHECK(calls == 0);
  CHECK(Predictor{model}(x)[0] == doctest::Approx(expected));
  CHECK(calls == 1);
}

TEST_CASE("a user's kernels have right gradients") {
  CHECK(wrong_gradient<workshop::Doubling, void, CpuDouble>() == "");
  CHECK(wrong_gradient<workshop::Cubing, void, ReferenceDouble>() == "");
  CHECK(wrong_gradient<workshop::Line, void, ReferenceDouble>() == "");
  CHECK(wrong_gradient<workshop::Line, void, CpuDouble>() == "");
}

TEST_CASE("networks with a user's kernels train") {
  CHECK(improvement<workshop::Doubling, backend::Cpu>(MeanSquaredError{}) < 0.5);
  CHECK(improvement<workshop::Cubing, ReferenceFloat>(MeanSquaredError{}) < 0.5);
  calls = 0;
  CHECK(improvement<workshop::Line, backend::Cpu>(MeanSquaredError{}) < 0.5);
  CHECK(calls > 0);
}

TEST_CASE("a network with a kernel of its own still tells where training stopped") {
  Model<workshop::Line> model;
  auto samples = learnable_samples<Vector<3>>(8);
  model.edit([](std::span<float> p) { p[0] = 1e30F; });
  samples.inputs[0] = 1e30F;
  CHECK_THROWS_WITH_AS(
      fit(model, samples),
      doctest::Contains("training stopped at epoch 1, step 1: the loss is not finite; the first value that is not "
                        "finite is in the output of the network"),
      Error);
}

}  // namespace
}  // namespace aila
