// The work behind check_gradients: one network, its workspaces, and the comparisons.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "../network/walk.hpp"
#include "../network/workspace.hpp"
#include "central_difference.hpp"
#include "gradient_check.hpp"

namespace aila::inline v0::detail {

template <class Net, class Backend>
class GradientChecker {
  static_assert(std::is_same_v<typename Backend::Scalar, double>, "aila: gradients are checked on a backend in double");
  using Training = Workspace<Net, Backend, Capability::train>;
  using Predicting = Workspace<Net, Backend, Capability::predict>;
  using Kernel = typename Training::Kernel;
  using In = typename Training::In;
  using Out = typename Training::Out;
  static_assert(RealShape<In>, "aila: gradients are checked on real inputs; check what lies behind the embedding");
  static constexpr const auto& layout = Training::layout;

 public:
  explicit GradientChecker(const GradientCheckOptions& options)
      : options_(options),
        training_(options.samples),
        predicting_(options.samples),
        parameters_(layout.size + 2 * alignment_elements),
        packed_(Kernel::packed + 2 * alignment_elements),
        x_(options.samples * In::elements + 2 * alignment_elements),
        r_(draw("r", options.samples * Out::elements, 1)) {
    for (const ParameterInfo& p : parameter_table<Net>()) {
      const double fan_in = p.rank > 1 ? static_cast<double>(p.size / p.extents[0]) : 1;
      const auto values = draw(p.name, p.size, 1 / math::sqrt(fan_in));
      std::ranges::copy(values, parameters_.data() + p.offset);
    }
    pass_.samples = options.samples;
    pass_.training = options.training;
    pass_.seed = options.seed;
    for (std::size_t n = 0; n < options.samples; ++n) {
      const std::size_t steps[] = {In::positions, 1, (In::positions + 1) / 2};
      lengths_.push_back(static_cast<std::int32_t>(steps[n % 3]));
    }
  }

  /// `prefix` is cut off the names of parameters.
  GradientCheck check(std::string_view prefix) {
    // Other data first: what a kernel fails to write then holds wrong numbers.
    set_input("another x");
    std::vector<double> input(x_.size()), gradients = backward(&input);
    set_input("x");
    if (options_.lengths && In::rank == 2) pass_.lengths = lengths_.data();
    gradients = backward(&input);
    const std::vector<double> output(training_.output(), training_.output() + r_.size());
    loss();
    compare("output of prediction", predicting_.output(), output.data(), output.size());
    check_partial_backward(input, gradients);

    check_differences("input", x_.data(), input.data(), options_.samples * In::elements);
    for (const ParameterInfo& p : parameter_table<Net>()) {
      const std::string name = p.name.starts_with(prefix) ? p.name.substr(prefix.size()) : p.name;
      if (p.kind == ParameterKind::trainable)
        check_differences(name, parameters_.data() + p.offset, gradients.data() + p.offset, p.size);
      if (p.kind != ParameterKind::frozen) std::fill_n(gradients.data() + p.offset, p.size, 0.0);
    }
    compare("gap or frozen part of the gradient array", gradients.data(), std::vector<double>(layout.size).data(), layout.size);
    return result_;
  }

 private:
  std::vector<double> draw(std::string_view name, std::size_t count, double scale) const {
    const Random random(options_.seed, Purpose::user, 0, hash_path(name));
    std::vector<double> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = scale * random.normal(0, i);
    return values;
  }
  void set_input(std::string_view name) { std::ranges::copy(draw(name, options_.samples * In::elements, 1), x_.data()); }
  void pack() { Kernel::pack(Weights<double>(parameters_.data(), layout.offset.data()), packed_.data()); }

  /// A forward and as many backwards as asked; the parameters' gradients, and dx where wanted.
  std::vector<double> backward(std::vector<double>* dx, bool wants_parameters = true, int times = 1) {
    pack();
    std::fill_n(training_.output(), r_.size(), std::numeric_limits<double>::quiet_NaN());
    std::copy_n(x_.data(), options_.samples * In::elements, training_.input());
    training_.forward(pass_, parameters_.data(), packed_.data(), training_.input());
    AlignedArray<double> gradients(layout.size + 2 * alignment_elements);
    for (int i = 0; i < times; ++i) {
      std::ranges::copy(r_, training_.output_gradient());
      training_.backward(pass_, parameters_.data(), packed_.data(), wants_parameters ? gradients.data() : nullptr,
                         dx != nullptr);
    }
    if (dx != nullptr) std::copy_n(training_.input_gradient(), options_.samples * In::elements, dx->data());
    return {gradients.data(), gradients.data() + layout.size};
  }

  double loss() {
    std::fill_n(predicting_.output(), r_.size(), std::numeric_limits<double>::quiet_NaN());
    predicting_.forward(pass_, parameters_.data(), packed_.data(), x_.data());
    double sum = 0, size = 0;
    for (std::size_t i = 0; i < r_.size(); ++i) {
      const double term = predicting_.output()[i] * r_[i];
      sum += term;
      size += term < 0 ? -term : term;
    }
    size_ = size;
    return sum;
  }

  /// Arrays that have to be equal but for rounding.
  void compare(const std::string& name, const double* a, const double* b, std::size_t count) {
    double largest = 0;
    for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, math::abs(b[i]));
    for (std::size_t i = 0; i < count; ++i) {
      const double difference = math::abs(a[i] - b[i]);
      if (!(difference <= 1e-12 * largest))
        result_.take(largest > 0 ? difference / largest : 1, options_.tolerance, name, i);
    }
  }

  void check_partial_backward(const std::vector<double>& input, const std::vector<double>& gradients) {
    std::vector<double> dx(input.size());
    backward(&dx, false);
    compare("input alone", dx.data(), input.data(), options_.samples * In::elements);
    const auto alone = backward(nullptr);
    compare("parameters alone", alone.data(), gradients.data(), layout.size);
    auto twice = backward(nullptr, true, 2);
    for (double& g : twice) g /= 2;
    compare("parameters, backward twice", twice.data(), gradients.data(), layout.size);
  }

  void check_differences(const std::string& name, double* values, const double* slopes, std::size_t count) {
    double largest = 0;
    for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, math::abs(slopes[i]));
    for (std::size_t i = 0; i < count; ++i) {
      const double value = values[i];
      const auto moved = [&](double step) {
        values[i] = value + step;
        if (values != x_.data()) pack();
        return loss();
      };
      loss();
      const double error = slope_error(moved, slopes[i], 1e-3 * largest, size_, options_.tolerance);
      result_.take(error, options_.tolerance, name, i);
      moved(0);
    }
  }

  GradientCheckOptions options_;
  Training training_;
  Predicting predicting_;
  AlignedArray<double> parameters_;
  AlignedArray<double> packed_;
  AlignedArray<double> x_;
  std::vector<double> r_;
  std::vector<std::int32_t> lengths_;
  Pass pass_{};
  double size_ = 0;  ///< sum of |y r| of the last loss
  GradientCheck result_;
};

}  // namespace aila::inline v0::detail
