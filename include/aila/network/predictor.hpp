// Predictor: one thread's way to call a model, without allocation.
#pragma once

#include "input.hpp"
#include "model.hpp"

namespace aila::inline v0 {

namespace detail {

/// Calls of one sample, for a class with `one(const Element*, length)`.
template <class Self, class In, class Out, class Scalar>
class PredictsOne {
  using Element = ElementOf<In, Scalar>;

 public:
  /// One sample of a size that the compiler knows (std::array, std::span<const float, N>, an Eigen vector of fixed
  /// size): the outputs, valid until the next call. `length` is the number of valid steps of a sequence; 0 stands for
  /// all of them.
  template <class X>
    requires(static_size<X>() != std::dynamic_extent)
  std::span<const Scalar, Out::elements> operator()(const X& x, std::int32_t length = 0) noexcept {
    enum { checked = require_input<X, Element>(), fits = require_size<static_size<X>(), In>() };
    return self().one(elements_of<Element, In>(x).data(), length);
  }

  /// One sample of a size known at run time (std::vector, an Eigen map); throws Error where it is not the network's.
  template <class X>
    requires(static_size<X>() == std::dynamic_extent)
  std::span<const Scalar, Out::elements> operator()(const X& x, std::int32_t length = 0) {
    enum { checked = require_input<X, Element>() };
    return self().one(elements_of_one<Element, In>(x, "predict", "an input"), length);
  }

 private:
  friend Self;
  PredictsOne() = default;
  Self& self() noexcept { return static_cast<Self&>(*this); }
};

}  // namespace detail

/// Owns state and workspace for up to `most_samples` samples a call; the model stays const and must outlive it.
template <class Net, HostBackend Backend = backend::Cpu>
class Predictor : public detail::PredictsOne<Predictor<Net, Backend>, typename detail::BoundNetwork<Net>::In,
                                             typename detail::BoundNetwork<Net>::Out, typename Backend::Scalar> {
 public:
  using ModelType = Model<Net, Backend>;
  using Scalar = typename ModelType::Scalar;
  using In = typename ModelType::In;
  using Out = typename ModelType::Out;
  using Element = ElementOf<In, Scalar>;

  explicit Predictor(const ModelType& model, std::size_t most_samples = 1) : model_(&model), workspace_(most_samples) {}

  /// Another model of the same network from the next call on; nothing is copied.
  void use(const ModelType& model) noexcept { model_ = &model; }

  /// Several samples [samples, In...] at once: outputs [samples, Out...]. Throws Error where they do not fit.
  template <class X>
  std::span<const Scalar> batch(const X& x, std::span<const std::int32_t> lengths = {}) {
    enum { checked = detail::require_input<X, Element>() };
    return model_->predict(x, workspace_, lengths);
  }

 private:
  friend class detail::PredictsOne<Predictor, In, Out, Scalar>;
  std::span<const Scalar, Out::elements> one(const Element* x, std::int32_t length) noexcept {
    model_->predict(x, 1, workspace_, length > 0 ? &length : nullptr);
    return std::span<const Scalar, Out::elements>(workspace_.output(), Out::elements);
  }

  const ModelType* model_;
  Workspace<Net, Backend, Capability::predict> workspace_;
};

template <class Net, class Backend>
Predictor(const Model<Net, Backend>&) -> Predictor<Net, Backend>;
template <class Net, class Backend>
Predictor(const Model<Net, Backend>&, std::size_t) -> Predictor<Net, Backend>;

}  // namespace aila::inline v0
