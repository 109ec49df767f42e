// Stream: a network that runs step by step, without end, and carries its state.
#pragma once

#include "../core/macros_aside.hpp"

#include <bit>
#include <limits>

#include "input.hpp"
#include "model.hpp"
#include "one_step.hpp"

namespace aila::inline v0 {

/// Gives after step x_t what the network gives at the last step of the sequence x_1, ..., x_t: the prediction of one
/// that ends in LastStep, step t's row of one that keeps the steps. How many steps the network's input names does not
/// matter here.
///
/// The model stays const, must outlive the stream, and may be shared by any number of them: the stream owns the state
/// alone (h and c of each Lstm, h of each Gru) and reads the model's own weights, so a model that is trained, edited or
/// loaded anew is followed from the next step on; the state stays as it is. Not while a step runs.
///
/// step() allocates nothing, takes no lock, calls no system and never throws on inputs of fixed size; its work is the
/// same for all numbers. Sums have another order than in a whole sequence, and gates are rational functions of their
/// own, so numbers agree to rounding: about 1e-6 of the largest (float), 1e-13 (double). Denormal numbers count as
/// zero, as they do elsewhere: networks of Lstm, Gru, Linear and LastStep alone, in float on backend::Cpu, see to it
/// themselves (inputs that are denormal and cells below 1e-19 become 0; weights should not be denormal), others change
/// the processor's mode while a step runs.
///
/// A network can stream if each of its layers looks at one step alone, or carries a state of fixed size: Lstm, Gru,
/// Linear, Embedding, activations, norms, Dropout, Conv<..., Kernel<1>>, LastStep, and Chain, Residual, Concat, Sum,
/// Stack (of any policy) and Frozen of such. Others do not compile.
template <class Net, ComputeBackend Backend = backend::Cpu>
class Stream {
  enum { can_stream = detail::StreamRefusal<Net, KernelsOf<Backend>>::say() };
  using StepNet = typename detail::Streamed<Net, KernelsOf<Backend>>::type;
  using Space = Workspace<StepNet, Backend, Capability::stream>;

 public:
  using ModelType = Model<Net, Backend>;
  using Scalar = typename ModelType::Scalar;
  using In = typename Space::In;    ///< one step: Sequence<1, F>, Tokens<1>
  using Out = typename Space::Out;  ///< Sequence<1, F'>, Vector<F'>
  using Element = ElementOf<In, Scalar>;

  static constexpr bool never_throws = shares_memory<Backend>;  ///< a device may fail

  /// Begins with the first step.
  explicit Stream(const ModelType& model) : model_(&model), space_(1) {}

  /// Another model of the same network from the next step on; the state stays.
  void use(const ModelType& model) noexcept { model_ = &model; }
  /// The next step is a first one again.
  void reset() noexcept(never_throws) {
    space_.reset();
    steps_ = 0;
  }

  /// The features of a step, in a range of a size that the compiler knows (std::array, std::span<const float, F>, an
  /// Eigen vector of fixed size): the outputs, valid until the next call.
  template <class X>
    requires(detail::static_size<X>() != std::dynamic_extent)
  std::span<const Scalar, Out::elements> step(const X& x) noexcept(never_throws) {
    enum { checked = detail::require_input<X, Element>(), fits = detail::require_size<detail::static_size<X>(), In>() };
    return next(detail::elements_of<Element, In>(x).data());
  }
  /// The same of a size known at run time (std::vector, an Eigen map); throws Error where it is not the network's.
  template <class X>
    requires(detail::static_size<X>() == std::dynamic_extent && !std::is_arithmetic_v<X>)
  std::span<const Scalar, Out::elements> step(const X& x) {
    enum { checked = detail::require_input<X, Element>() };
    return next(detail::elements_of_one<Element, In>(x, "stream", "a step"));
  }
  /// The only feature, or the token, of a step.
  std::span<const Scalar, Out::elements> step(Element x) noexcept(never_throws)
    requires(In::elements == 1)
  {
    return next(&x);
  }

 private:
  std::span<const Scalar, Out::elements> next(const Element* x) noexcept(never_throws) {
    if constexpr (Space::keeps_host_mode && !In::is_tokens) {
      for (std::size_t f = 0; f < In::features; ++f) space_.host_input()[f] = without_denormal(x[f]);
      x = space_.send_input(1);
    } else {
      x = space_.take_input(x, 1);
    }
    Pass pass;
    pass.step = steps_++;
    space_.on_its_device([&] {
      if constexpr (ModelType::tables > 0) {
        space_.expect_here(model_->kernel_parameters());
        const auto refs = model_->table_refs();
        pass.tables = refs.data();
        space_.forward(pass, model_->kernel_parameters(), model_->packed(), x);
      } else {
        space_.forward(pass, model_->kernel_parameters(), model_->packed(), x);
      }
    });
    return std::span<const Scalar, Out::elements>(space_.host_output(1), Out::elements);
  }
  static constexpr Scalar without_denormal(Scalar x) noexcept {
    using Word = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
    constexpr Word exponent = std::bit_cast<Word>(std::numeric_limits<Scalar>::infinity());
    const Word word = std::bit_cast<Word>(x);
    return std::bit_cast<Scalar>(word & (Word((word & exponent) == 0) - 1));  // no branch: signs may be random
  }

  const ModelType* model_;
  Space space_;
  std::uint64_t steps_ = 0;
};

template <class Net, class Backend>
Stream(const Model<Net, Backend>&) -> Stream<Net, Backend>;

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
