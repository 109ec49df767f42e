// Predictor: one thread's way to call a model, without allocation.
#pragma once

#include "../core/macros_aside.hpp"

#include "input.hpp"
#include "model.hpp"

namespace aila::inline v0 {

namespace detail {

/// Calls of one sample, for a class with `one(const Element* x, const std::int32_t* length)`, null for all steps, and
/// `never_throws`: a device may fail.
template <class Self, class In, class Out, class Scalar>
class PredictsOne {
  using Element = ElementOf<In, Scalar>;

 public:
  /// One sample of a size that the compiler knows (std::array, std::span<const float, N>, an Eigen vector of fixed
  /// size): the outputs, valid until the next call.
  template <class X>
    requires(static_size<X>() != std::dynamic_extent)
  std::span<const Scalar, Out::elements> operator()(const X& x, AllSteps = all_steps) noexcept(Self::never_throws) {
    enum { checked = require_input<X, Element>(), fits = require_size<static_size<X>(), In>() };
    return self().one(elements_of_sample(x), nullptr);
  }
  /// One sample of a size known at run time (std::vector, an Eigen map); throws Error where it is not the network's.
  template <class X>
    requires(static_size<X>() == std::dynamic_extent)
  std::span<const Scalar, Out::elements> operator()(const X& x, AllSteps = all_steps) {
    enum { checked = require_input<X, Element>() };
    return self().one(elements_of_sample(x), nullptr);
  }
  /// One sample, a sequence of which the first `length` steps are valid; throws Error where these are not from 1 to the
  /// steps that there are.
  template <class X>
  std::span<const Scalar, Out::elements> operator()(const X& x, std::int64_t length) {
    enum { checked = require_input<X, Element>(), fits = require_size<static_size<X>(), In>() };
    LengthRule<In>::check("predict", length, 0);
    const auto valid = static_cast<std::int32_t>(length);
    return self().one(elements_of_sample(x), &valid);
  }

 private:
  friend Self;
  PredictsOne() = default;

  template <class X>
    requires(static_size<X>() != std::dynamic_extent)
  static const Element* elements_of_sample(const X& x) noexcept {
    return elements_of<Element, In>(x).data();
  }
  template <class X>
  static const Element* elements_of_sample(const X& x) {
    return elements_of_one<Element, In>(x, "predict", "an input");
  }
  Self& self() noexcept { return static_cast<Self&>(*this); }
};

}  // namespace detail

/// Owns state and workspace for up to `most_samples` samples a call; the model stays const and must outlive it.
template <class Net, ComputeBackend Backend = backend::Cpu>
class Predictor : public detail::PredictsOne<Predictor<Net, Backend>, typename detail::BoundNetwork<Net>::In,
                                             typename detail::BoundNetwork<Net>::Out, typename Backend::Scalar> {
 public:
  using ModelType = Model<Net, Backend>;
  using Scalar = typename ModelType::Scalar;
  using In = typename ModelType::In;
  using Out = typename ModelType::Out;
  using Element = ElementOf<In, Scalar>;

  static constexpr bool never_throws = shares_memory<Backend>;

  /// Throws Error where most_samples is 0, or more than there is memory for.
  explicit Predictor(const ModelType& model, std::size_t most_samples = 1)
      : model_(&model), workspace_(at_least_one(most_samples)) {}

  /// Another model of the same network from the next call on; nothing is copied.
  void use(const ModelType& model) noexcept { model_ = &model; }

  /// Several samples [samples, In...] at once: outputs [samples, Out...]. Throws Error where they do not fit.
  template <class X>
  std::span<const Scalar> batch(const X& x, std::span<const std::int32_t> lengths = {}) {
    enum { checked = detail::require_input<X, Element>() };
    return model_->predict(x, workspace_, lengths);
  }

  /// The same of memory of the backend, x [samples, In...] and lengths [samples] (null: all steps), at 16 bytes and
  /// with 64 bytes behind x that may be read: nothing is copied, and nothing waited for. The outputs [samples, Out...]
  /// are there after wait(), until the next call. Throws Error for more samples than there is room for, and for lengths
  /// of an input without steps.
  const Scalar* on_device(const Element* x, std::size_t samples, const std::int32_t* lengths = nullptr)
    requires(!shares_memory<Backend>)
  {
    detail::LengthRule<In>::check_some("predict", lengths != nullptr);
    model_->predict_on_device(x, samples, workspace_, lengths);
    return workspace_.output();
  }
  void wait()
    requires(!shares_memory<Backend>)
  {
    workspace_.queue().wait();
  }

 private:
  friend class detail::PredictsOne<Predictor, In, Out, Scalar>;
  // NOLINTNEXTLINE(bugprone-exception-escape): there is room for one sample, and its length was looked at
  std::span<const Scalar, Out::elements> one(const Element* x, const std::int32_t* length) noexcept(never_throws) {
    model_->predict(x, 1, workspace_, length);
    return std::span<const Scalar, Out::elements>(workspace_.host_output(1), Out::elements);
  }
  static std::size_t at_least_one(std::size_t samples) {
    if (samples == 0) throw_error("predictor: expected room for at least 1 sample, found 0");
    return samples;
  }

  const ModelType* model_;
  Workspace<Net, Backend, Capability::predict> workspace_;
};

template <class Net, class Backend>
Predictor(const Model<Net, Backend>&) -> Predictor<Net, Backend>;
template <class Net, class Backend>
Predictor(const Model<Net, Backend>&, std::size_t) -> Predictor<Net, Backend>;

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
