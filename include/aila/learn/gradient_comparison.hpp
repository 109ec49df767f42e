// The comparisons of check_gradients, compiled once whatever the number of networks that are checked.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "../backend/kernel.hpp"
#include "../network/walk.hpp"
#include "central_difference.hpp"
#include "gradient_check.hpp"

namespace aila::inline v0::detail {

/// What is asked of one network; every array is of one size from call to call.
class CheckedCalls {
 public:
  virtual void forward() = 0;  ///< predicts y from x and the packed parameters
  /// A forward that keeps, and `times` backwards: dx, and the parameters' gradients, where wanted.
  virtual std::vector<double> backward(std::vector<double>* dx, bool wants_parameters, int times) = 0;
  virtual void pack() = 0;

  GradientCheckOptions options;
  Pass pass{};
  double *x = nullptr, *y = nullptr, *trained_y = nullptr, *parameters = nullptr;
  std::size_t inputs = 0, outputs = 0, steps = 0;
  std::vector<double> r;

 protected:
  ~CheckedCalls() = default;
};

class GradientComparison {
 public:
  GradientComparison(CheckedCalls& calls, const std::vector<ParameterInfo>& table, std::string_view prefix)
      : calls_(calls), options_(calls.options), table_(table), prefix_(prefix) {}

  GradientCheck run() {
    for (const ParameterInfo& p : table_) {
      const std::size_t fan_in = p.rank > 1 ? p.size / p.extents[0] : 1;
      double* const values = calls_.parameters + p.offset;
      draw(p.name, p.size, 1 / math::sqrt(static_cast<double>(fan_in)), values);
      if (p.kind == ParameterKind::buffer)  // statistics, of which some are variances
        std::transform(values, values + p.size, values, [](double v) { return 0.5 + std::abs(v); });
    }
    calls_.r.resize(calls_.outputs);
    draw("r", calls_.outputs, 1, calls_.r.data());

    // Other data first: what a kernel fails to write then holds wrong numbers.
    std::vector<double> input(calls_.inputs);
    draw("another x", calls_.inputs, 1, calls_.x);
    loss();
    calls_.backward(&input, true, 1);
    draw("x", calls_.inputs, 1, calls_.x);
    std::vector<std::int32_t> lengths;
    for (std::size_t n = 0; n < options_.samples; ++n) {
      const std::size_t steps[] = {calls_.steps, 1, (calls_.steps + 1) / 2};
      lengths.push_back(static_cast<std::int32_t>(steps[n % 3]));
    }
    if (options_.lengths && calls_.steps > 0) calls_.pass.lengths = lengths.data();

    std::vector<double> gradients = calls_.backward(&input, true, 1);
    loss();
    compare("output of prediction", calls_.y, calls_.trained_y, calls_.outputs);
    check_partial_backward(input, gradients);
    check_differences("input", calls_.x, input.data(), calls_.inputs, false);
    for (const ParameterInfo& p : table_) {
      const std::string name = p.name.starts_with(prefix_) ? p.name.substr(prefix_.size()) : p.name;
      if (p.kind == ParameterKind::trainable)
        check_differences(name, calls_.parameters + p.offset, gradients.data() + p.offset, p.size, true);
      if (p.kind != ParameterKind::frozen) std::fill_n(gradients.data() + p.offset, p.size, 0.0);
    }
    const std::vector<double> zeros(gradients.size());
    compare("gap or frozen part of the gradient array", gradients.data(), zeros.data(), zeros.size());
    return result_;
  }

 private:
  void draw(std::string_view name, std::size_t count, double scale, double* to) const {
    const Random random(options_.seed, Purpose::user, 0, hash_path(name));
    for (std::size_t i = 0; i < count; ++i) to[i] = scale * random.normal(0, i);
  }

  /// sum(y r); `size_` is then the sum of the magnitudes.
  double loss() {
    calls_.pack();
    return loss_of_packed();
  }
  double loss_of_packed() {
    std::fill_n(calls_.y, calls_.outputs, std::numeric_limits<double>::quiet_NaN());
    calls_.forward();
    double sum = 0;
    size_ = 0;
    for (std::size_t i = 0; i < calls_.outputs; ++i) {
      sum += calls_.y[i] * calls_.r[i];
      size_ += math::abs(calls_.y[i] * calls_.r[i]);
    }
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
    calls_.backward(&dx, false, 1);
    compare("input alone", dx.data(), input.data(), dx.size());
    const auto alone = calls_.backward(nullptr, true, 1);
    compare("parameters alone", alone.data(), gradients.data(), alone.size());
    auto twice = calls_.backward(nullptr, true, 2);
    for (double& g : twice) g /= 2;
    compare("parameters, backward twice", twice.data(), gradients.data(), twice.size());
  }

  void check_differences(const std::string& name, double* values, const double* slopes, std::size_t count, bool packs) {
    double largest = 0;
    for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, math::abs(slopes[i]));
    for (std::size_t i = 0; i < count; ++i) {
      const double value = values[i];
      const auto moved = [&](double step) {
        values[i] = value + step;
        return packs ? loss() : loss_of_packed();
      };
      moved(0);
      result_.take(slope_error(moved, slopes[i], 1e-3 * largest, size_, options_.tolerance), options_.tolerance, name,
                   i);
      moved(0);
    }
  }

  CheckedCalls& calls_;
  const GradientCheckOptions& options_;
  const std::vector<ParameterInfo>& table_;
  std::string_view prefix_;
  double size_ = 0;
  GradientCheck result_;
};

}  // namespace aila::inline v0::detail
