// What every kernel promises, whatever it computes: see backend/kernel.hpp.
#include <doctest/doctest.h>

#include <aila/backend/cpu.hpp>
#include <aila/backend/reference.hpp>
#include <aila/compose/network.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace aila;

namespace {

constexpr std::size_t samples = 3;
using In = Sequence<5, 7>;

template <class L, class Backend>
struct Kept {
  using S = typename Backend::Scalar;
  using Part = Placed<L, In>;
  using Kernel = KernelFor<Part, Backend>;
  using Saved = typename Kernel::template Saved<Capability::train>;
  static constexpr auto layout = detail::make_layout<Part>();
  static constexpr S nan = std::numeric_limits<S>::quiet_NaN();

  static std::size_t memory() {
    Arena<S> arena;
    Saved saved;
    saved.bind(arena, samples);
    return arena.used();
  }
  static AlignedArray<S> filled(std::size_t n, auto&& value) {
    AlignedArray<S> a(n + 2 * alignment_elements);
    for (std::size_t i = 0; i < n; ++i) a.data()[i] = value(i);
    return a;
  }
  static S wave(std::size_t i, double phase) {
    return static_cast<S>(0.7 * std::sin(1.3 * static_cast<double>(i) + phase));
  }

  std::vector<S> y, dx, g;

  /// Forward and backward, with dx and g that hold `before`; memory that nobody has written is NaN.
  Kept(S before, bool wants_dx, bool wants_g) {
    auto parameters = filled(layout.size, [](std::size_t) { return S(0); });
    for (std::size_t t = 0; t < Part::tensors; ++t)
      for (std::size_t e = 0; e < Part::parameters[t].size(); ++e)
        parameters.data()[layout.offset[t] + e] = wave(e, static_cast<double>(t));
    const Weights<S> w(parameters.data(), layout.offset.data());
    AlignedArray<S> packed(Kernel::packed + 2 * alignment_elements);
    Kernel::pack(w, packed.data());

    auto x = filled(samples * In::elements, [](std::size_t i) { return wave(i, 0.5); });
    constexpr std::size_t outputs = samples * Part::Out::elements;
    auto out = filled(outputs, [](std::size_t) { return nan; });
    auto dy = filled(outputs, [](std::size_t i) { return wave(i, 2); });
    auto down = filled(samples * In::elements, [&](std::size_t) { return before; });
    auto gradient = filled(layout.size, [&](std::size_t) { return before; });
    auto kept = filled(memory(), [](std::size_t) { return nan; });
    auto scratch = filled(Kernel::scratch(samples, Capability::train), [](std::size_t) { return nan; });

    Pass pass;
    pass.samples = samples;
    pass.training = true;
    pass.seed = {3};
    Saved saved;
    Arena<S> arena(kept.data());
    saved.bind(arena, samples);
    Kernel::template forward<Capability::train>(pass, w, packed.data(), x.data(), out.data(), saved, scratch.data());
    std::fill_n(scratch.data(), Kernel::scratch(samples, Capability::train), nan);
    Kernel::template backward<Capability::train>(
        pass, w, packed.data(), x.data(), out.data(), dy.data(), wants_dx ? down.data() : nullptr,
        Gradients<S>(wants_g ? gradient.data() : nullptr, layout.offset.data()), saved, scratch.data());
    y.assign(out.data(), out.data() + outputs);
    dx.assign(down.data(), down.data() + samples * In::elements);
    for (std::size_t t = 0; t < Part::tensors; ++t)
      g.insert(g.end(), gradient.data() + layout.offset[t],
               gradient.data() + layout.offset[t] + Part::parameters[t].size());
  }
};

/// Whether b is a with `added` added everywhere, but for rounding.
template <class S>
bool differs_by(const std::vector<S>& a, const std::vector<S>& b, S added) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(b[i] - a[i] - added) < 4e-6 * (std::abs(a[i]) + std::abs(added)))) return false;
  return true;
}
template <class S>
bool finite(const std::vector<S>& a) {
  return std::all_of(a.begin(), a.end(), [](S v) { return std::isfinite(v); });
}

template <class Backend, class L>
void check() {
  CAPTURE(layer_name<L>());
  using K = Kept<L, Backend>;
  using S = typename Backend::Scalar;
  const K plain(S(0), true, true);
  CHECK(finite(plain.y));
  CHECK(finite(plain.dx));
  CHECK(finite(plain.g));
  CHECK(std::any_of(plain.dx.begin(), plain.dx.end(), [](S v) { return v != 0; }));

  const K added(S(2), true, true);
  CHECK(added.y == plain.y);
  CHECK(differs_by(plain.dx, added.dx, S(2)));
  CHECK(differs_by(plain.g, added.g, S(2)));

  const K without_g(S(0), true, false);
  CHECK(without_g.dx == plain.dx);
  CHECK(std::all_of(without_g.g.begin(), without_g.g.end(), [](S v) { return v == 0; }));
  const K without_dx(S(0), false, true);
  CHECK(without_dx.g == plain.g);
}

template <class... L>
struct Each {
  template <class Backend>
  static void run() {
    (check<Backend, L>(), ...);
  }
};
template <class Policy>
using Mixed = Stack<Policy, Lstm<6>, Linear<6>, Lstm<6>>;

}  // namespace

TEST_CASE_TEMPLATE("kernels of layers write all they promise, add to gradients, and leave out what nobody asks for",
                   Backend, backend::Reference<double>, backend::Cpu) {
  Each<Identity, Relu, Gelu, Silu, Tanh, Sigmoid, Softmax, Dropout<30>, LayerNorm, ReluLayerNorm, Linear<9>, Linear<1>,
       Lstm<6>, Flatten, LastStep, MeanOverPositions>::run<Backend>();
}

TEST_CASE_TEMPLATE("so do those of composites", Backend, backend::Reference<double>, backend::Cpu) {
  Each<Chain<Linear<9>, Tanh, Linear<4>>, Residual<Linear<7>, LayerNorm>, Frozen<Linear<9>>,
       Frozen<Mixed<integrate::Attention<>>>>::run<Backend>();
}

TEST_CASE_TEMPLATE("so do those of stacks, under every policy", Backend, backend::Reference<double>, backend::Cpu) {
  Each<Mixed<integrate::None>, Mixed<integrate::Residual>, Mixed<integrate::DenseNet>,
       Mixed<integrate::Linear<Heads<2>, TaskEmbedding>>, Mixed<integrate::Linear<Score<Context>>>,
       Mixed<integrate::Attention<Heads<3>>>,
       Mixed<integrate::Attention<TiedValues, MeanOfHeads, Heads<2>>>>::run<Backend>();
}
