// What check_gradients asks of one network: its workspaces and calls.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <string_view>

#include "../network/workspace.hpp"
#include "body_check.hpp"
#include "gradient_comparison.hpp"

namespace aila::inline v0::detail {

/// The calls of a network on a backend.
template <class Net, class Backend>
class GradientChecker final : CheckedCalls {
  using Training = Workspace<Net, Backend, Capability::train>;
  using Predicting = Workspace<Net, Backend, Capability::predict>;
  using Kernel = typename Training::Kernel;
  using In = typename Training::In;

 public:
  explicit GradientChecker(const GradientCheckOptions& asked)
      : options_(asked), training_(asked.samples), predicting_(asked.samples) {
    training = {training_.memory(),          training_.output(),         training_.input(),
                training_.output_gradient(), training_.input_gradient(), training_.idle()};
    predicting = {predicting_.memory(), predicting_.output(), predicting_.input(), nullptr, nullptr,
                  predicting_.idle()};
    inputs = In::elements;
    outputs = Training::Out::elements;
    steps = In::rank == 2 ? In::positions : 0;
    parameters = Training::layout.size;
    packed = Kernel::packed;
    needs = backward_needs_of<Kernel>();
    meets = Training::phases > 0;
  }

  /// `prefix` is cut off the names of parameters.
  GradientCheck check(std::string_view prefix) {
    GradientCheck result = begin_check(options_);
    if (result.ok) for_each_layer<Net>(CheckBodies<Backend>{result, prefix, options_.seed});
    if (result.ok) GradientComparison(*this, options_, parameter_table<Net>(), prefix, result).run();
    return result;
  }

 private:
  void pack(Weights<double> w, double* to) override { Kernel::pack(w, to); }
  void predict(const Pass& pass, Weights<double> w, const double* packed_weights, const double* x) override {
    predicting_.forward(pass, w, packed_weights, x);
  }
  void train(const Pass& pass, Weights<double> w, const double* packed_weights) override {
    training_.forward(pass, w, packed_weights, training_.input());
  }
  void backward(const Pass& pass, Weights<double> w, const double* packed_weights, Gradients<double> g,
                double* dx) override {
    training_.backward(pass, w, packed_weights, g, dx);
  }

  GradientCheckOptions options_;
  Training training_;
  Predicting predicting_;
};

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
