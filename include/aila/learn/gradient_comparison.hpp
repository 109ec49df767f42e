// The comparisons of check_gradients, compiled once whatever the number of networks that are checked.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "central_difference.hpp"
#include "poisoned_calls.hpp"

namespace aila::inline v0::detail {

class GradientComparison {
 public:
  GradientComparison(CheckedCalls& calls, const GradientCheckOptions& options, const std::vector<ParameterInfo>& table,
                     std::string_view prefix, GradientCheck& result)
      : calls_(calls),
        options_(options),
        prefix_(prefix),
        result_(result),
        poisoned_(calls, options, table, result),
        inputs_(poisoned_.inputs()),
        outputs_(poisoned_.outputs()) {}

  void run() {
    draw_normal(options_.seed, "r", outputs_, 1, poisoned_.r.data());
    draw_normal(options_.seed, "x", inputs_, 1, poisoned_.x());
    std::vector<std::int32_t> lengths;
    for (std::size_t n = 0; n < options_.samples; ++n) {
      const std::size_t steps[] = {calls_.steps, 1, (calls_.steps + 1) / 2};
      lengths.push_back(static_cast<std::int32_t>(steps[n % 3]));
    }
    if (options_.lengths && calls_.steps > 0) poisoned_.pass.lengths = lengths.data();

    const Results results = poisoned_.evaluate(Poison::everywhere(not_a_number), {});
    check_numbers(results);
    if (result_.ok) check_other_calls(results);
    if (!result_.ok) return;
    compare("output of prediction", results.predicted.data(), results.trained.data(), outputs_);
    check_partial_backward(results);
    check_differences("input", poisoned_.x(), results.dx.data(), inputs_, false);
    for (const ParameterInfo& p : poisoned_.tensors().table())
      if (p.kind == ParameterKind::trainable)
        check_differences(p.name.starts_with(prefix_) ? p.name.substr(prefix_.size()) : p.name,
                          poisoned_.tensors().data() + p.offset, results.g.data() + p.offset, p.size, true);
    if (result_.compared == 0)
      result_.refuse("nothing was compared");
    else if (result_.nonzero == 0 && result_.ok)
      result_.refuse("all " + std::to_string(result_.compared) + " derivatives are zero, so that none was checked");
  }

 private:
  using Numbers = PoisonedCalls::Numbers;
  using Results = PoisonedCalls::Results;

  /// Gradients go to trainable tensors alone.
  void check_numbers(const Results& results) {
    const GuardedTensors& tensors = poisoned_.tensors();
    const std::size_t found = tensors.find_outside(results.g.data());
    if (found < tensors.size())
      result_.refuse("backward adds to " + tensors.name(found, prefix_) + ", which is outside the parameters");
    for (const ParameterInfo& p : tensors.table())
      for (std::size_t i = p.offset; i < p.offset + p.size; ++i)
        if (p.kind != ParameterKind::trainable && results.g[i] != 0)
          result_.refuse("backward adds to " + tensors.name(i, prefix_) + ", which is not trainable");
  }

  /// Results depend on x and the parameters alone: not on what memory holds, on calls before, or on other samples.
  void check_other_calls(const Results& results) {
    const Numbers x(poisoned_.x(), poisoned_.x() + inputs_);
    draw_normal(options_.seed, "another x", inputs_, 1, poisoned_.x());
    poisoned_.evaluate({}, {});
    std::ranges::copy(x, poisoned_.x());
    Numbers alone;
    if (options_.samples > 1 && !(calls_.meets && options_.training))
      for (std::size_t n = 0; n < options_.samples; ++n) {
        const double* const y = poisoned_.predict_alone(n);
        alone.insert(alone.end(), y, y + calls_.outputs);
      }
    const std::string different = difference(poisoned_.evaluate(Poison::everywhere(odd_number), {}), results);
    if (!different.empty()) {
      result_.refuse(reason(different));
      return;
    }
    compare("output of samples alone", alone.data(), results.predicted.data(), alone.size());
  }

  /// The first result that differs, or nothing.
  std::string difference(const Results& a, const Results& b) const {
    const auto first = [](const Numbers& p, const Numbers& q) {
      return static_cast<std::size_t>(std::mismatch(p.begin(), p.end(), q.begin(), same_number).first - p.begin());
    };
    const std::size_t y = std::min(first(a.predicted, b.predicted), first(a.trained, b.trained));
    if (y < outputs_) return "output[" + std::to_string(y) + "]";
    const std::size_t dx = first(a.dx, b.dx), g = first(a.g, b.g);
    if (dx < inputs_) return "the gradient of input[" + std::to_string(dx) + "]";
    return g < a.g.size() ? "the gradient of " + poisoned_.tensors().name(g, prefix_) : "";
  }

  /// Why results differ: each kind of memory by itself, each with both poisons.
  std::string reason(const std::string& different) {
    const Results clean = poisoned_.evaluate({}, {});
    const Results stale = poisoned_.evaluate({.output = odd_number}, {});
    for (std::size_t i = 0; i < outputs_; ++i)
      if (stale.predicted[i] == odd_number || stale.trained[i] == odd_number)
        return "output[" + std::to_string(i) + "] was not written";
    struct Kind {
      double Poison::* memory;
      const char* what;
    };
    const Kind kinds[] = {{&Poison::output, " depends on what stood in the output before"},
                          {&Poison::outside, " depends on numbers outside the parameters"},
                          {&Poison::packed, " depends on packed weights that pack did not write"},
                          {&Poison::beyond, " depends on what stands beyond the end of an array"},
                          {&Poison::scratch, " depends on what stood in scratch memory before the call"},
                          {&Poison::unneeded, " depends on a map that backward is said not to need"},
                          {&Poison::kept, " depends on memory between layers that was not written"}};
    for (const Kind& kind : kinds)
      for (const double poison : poisons) {
        Poison alone;
        alone.*kind.memory = poison;
        if (const std::string name = difference(poisoned_.evaluate(alone, {}), clean); !name.empty())
          return name + kind.what;
      }
    return different + " depends on the calls before";
  }

  /// sum(y r); `size_` is then the sum of the magnitudes.
  double loss() {
    poisoned_.pack();
    return loss_of_packed();
  }
  double loss_of_packed() {
    const double* const y = poisoned_.predict();
    double sum = 0;
    size_ = 0;
    for (std::size_t i = 0; i < outputs_; ++i) {
      sum += y[i] * poisoned_.r[i];
      size_ += math::abs(y[i] * poisoned_.r[i]);
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

  void check_partial_backward(const Results& results) {
    const Poison poison = Poison::everywhere(odd_number);
    const Results dx = poisoned_.evaluate(poison, {.g = false});
    compare("input alone", dx.dx.data(), results.dx.data(), inputs_);
    const Results g = poisoned_.evaluate(poison, {.dx = false});
    compare("parameters alone", g.g.data(), results.g.data(), g.g.size());
    Results twice = poisoned_.evaluate(poison, {.times = 2});
    for (double& v : twice.g) v /= 2;
    for (double& v : twice.dx) v /= 2;
    compare("parameters, backward twice", twice.g.data(), results.g.data(), twice.g.size());
    compare("input, backward twice", twice.dx.data(), results.dx.data(), inputs_);
  }

  void check_differences(const std::string& name, double* values, const double* slopes, std::size_t count, bool packs) {
    double largest = 0;
    for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, math::abs(slopes[i]));
    const std::size_t nonzero = result_.nonzero;
    for (std::size_t i = 0; i < count; ++i) {
      const double value = values[i];
      const auto moved = [&](double step) {
        values[i] = value + step;
        return packs ? loss() : loss_of_packed();
      };
      moved(0);
      result_.take(slope_error(moved, slopes[i], 1e-3 * largest, size_, options_.tolerance), options_.tolerance, name,
                   i);
      ++result_.compared;
      if (math::abs(slopes[i]) > slope_noise(size_)) ++result_.nonzero;
      moved(0);
    }
    if (result_.nonzero == nonzero) (result_.constant += result_.constant.empty() ? "" : ", ") += name;
  }

  CheckedCalls& calls_;
  const GradientCheckOptions& options_;
  std::string_view prefix_;
  GradientCheck& result_;
  PoisonedCalls poisoned_;
  std::size_t inputs_, outputs_;
  double size_ = 0;
};

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
