// What check_gradients asks of one network: its workspaces and calls.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string_view>
#include <type_traits>
#include <vector>

#include "../network/workspace.hpp"
#include "gradient_comparison.hpp"

namespace aila::inline v0::detail {

/// The calls of a network on a backend.
template <class Net, class Backend>
class GradientChecker final : CheckedCalls {
  using Training = Workspace<Net, Backend, Capability::train>;
  using Predicting = Workspace<Net, Backend, Capability::predict>;
  using Kernel = typename Training::Kernel;
  using In = typename Training::In;
  using Out = typename Training::Out;
  static constexpr const auto& layout = Training::layout;

 public:
  explicit GradientChecker(const GradientCheckOptions& asked)
      : training_(asked.samples),
        predicting_(asked.samples),
        parameters_(layout.size + 2 * alignment_elements),
        packed_(Kernel::packed + 2 * alignment_elements),
        x_(asked.samples * In::elements + 2 * alignment_elements) {
    options = asked;
    pass.samples = asked.samples;
    pass.training = asked.training;
    pass.seed = asked.seed;
    x = x_.data();
    y = predicting_.output();
    trained_y = training_.output();
    parameters = parameters_.data();
    inputs = asked.samples * In::elements;
    outputs = asked.samples * Out::elements;
    steps = In::rank == 2 ? In::positions : 0;
  }

  /// `prefix` is cut off the names of parameters.
  GradientCheck check(std::string_view prefix) {
    return GradientComparison(*this, parameter_table<Net>(), prefix).run();
  }

 private:
  void pack() override { Kernel::pack(Weights<double>(parameters_.data(), layout.offset.data()), packed_.data()); }
  void forward() override { predicting_.forward(pass, parameters_.data(), packed_.data(), x); }
  std::vector<double> backward(std::vector<double>* dx, bool wants_parameters, int times) override {
    pack();
    std::fill_n(trained_y, outputs, std::numeric_limits<double>::quiet_NaN());
    std::copy_n(x, inputs, training_.input());
    training_.forward(pass, parameters_.data(), packed_.data(), training_.input());
    AlignedArray<double> gradients(layout.size + 2 * alignment_elements);
    for (int i = 0; i < times; ++i) {
      std::copy_n(r.data(), outputs, training_.output_gradient());
      training_.backward(pass, parameters_.data(), packed_.data(), wants_parameters ? gradients.data() : nullptr,
                         dx != nullptr);
    }
    if (dx != nullptr) std::copy_n(training_.input_gradient(), inputs, dx->data());
    return {gradients.data(), gradients.data() + layout.size};
  }

  Training training_;
  Predicting predicting_;
  AlignedArray<double> parameters_;
  AlignedArray<double> packed_;
  AlignedArray<double> x_;
};

}  // namespace aila::inline v0::detail
