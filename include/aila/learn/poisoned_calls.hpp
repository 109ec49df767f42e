// The calls of a network in memory that holds numbers which nobody may rely on.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../backend/kernel.hpp"
#include "gradient_check.hpp"
#include "guarded_tensors.hpp"

namespace aila::inline v0::detail {

/// A network's calls on a backend, and the memory of its workspaces.
class CheckedCalls {
 public:
  virtual void pack(Weights<double> w, double* packed) = 0;
  virtual void predict(const Pass& pass, Weights<double> w, const double* packed, const double* x) = 0;
  virtual void train(const Pass& pass, Weights<double> w, const double* packed) = 0;
  virtual void backward(const Pass& pass, Weights<double> w, const double* packed, Gradients<double> g, double* dx) = 0;

  /// A workspace; without gradients where it predicts only.
  struct Memory {
    std::span<double> all;
    double *y = nullptr, *x = nullptr, *dy = nullptr, *dx = nullptr;
    std::vector<std::span<double>> idle;  ///< what means nothing between two calls
  };
  Memory predicting, training;
  std::size_t inputs = 0, outputs = 0;  ///< of a sample
  std::size_t steps = 0;                ///< of a sequence
  std::size_t parameters = 0, packed = 0;
  BackwardNeeds needs;
  bool meets = false;  ///< while training, an output depends on the whole batch

 protected:
  ~CheckedCalls() = default;
};

/// What memory holds before a call, by what it is for.
struct Poison {
  double output = 0;    ///< y, which is to be written
  double kept = 0;      ///< what forward keeps for backward
  double scratch = 0;   ///< and what passes between layers, before forward, and again before backward
  double unneeded = 0;  ///< before backward, x and y where it says that it looks at none
  double beyond = 0;    ///< behind the ends of x, y, dx and dy
  double outside = 0;   ///< between and behind the tensors of the parameters
  double packed = 0;    ///< packed weights, before pack

  static Poison everywhere(double value) { return {value, value, value, value, value, value, value}; }
};

class PoisonedCalls {
 public:
  using Numbers = std::vector<double>;
  struct Results {
    Numbers predicted, trained, dx, g;
  };
  /// Which gradients are asked for, and how often forward and backward are called.
  struct Asked {
    bool dx = true;
    bool g = true;
    int times = 1;
  };

  PoisonedCalls(CheckedCalls& calls, const GradientCheckOptions& options, const std::vector<ParameterInfo>& table,
                GradientCheck& result)
      : calls_(calls),
        result_(result),
        samples_(options.samples),
        tensors_(table, calls.parameters, reach(calls)),
        packed_(calls.packed + 2 * alignment_elements),
        x_(inputs() + 2 * alignment_elements) {
    r.resize(outputs());
    pass.samples = samples_;
    pass.training = options.training;
    pass.seed = options.seed;
    tensors_.draw(options.seed);
  }

  std::size_t inputs() const { return samples_ * calls_.inputs; }
  std::size_t outputs() const { return samples_ * calls_.outputs; }
  double* x() { return x_.data(); }
  GuardedTensors& tensors() { return tensors_; }
  const GuardedTensors& tensors() const { return tensors_; }

  void pack() { calls_.pack(tensors_.weights(), packed_.data()); }
  /// The prediction for x by the packed weights.
  const double* predict() {
    std::fill_n(calls_.predicting.y, outputs(), not_a_number);
    calls_.predict(pass, tensors_.weights(), packed_.data(), x());
    return calls_.predicting.y;
  }
  /// That for sample n alone.
  const double* predict_alone(std::size_t n) {
    Pass alone = pass;
    alone.samples = 1;
    alone.first_sample = n;
    if (alone.lengths != nullptr) alone.lengths += n;
    calls_.predict(alone, tensors_.weights(), packed_.data(), x() + n * calls_.inputs);
    return calls_.predicting.y;
  }

  /// Prediction, forward and backward in memory that is poisoned so; each array is seen to be left alone where it must.
  Results evaluate(const Poison& poison, Asked asked) {
    Results results;
    fill(poison);
    calls_.pack(tensors_.weights(), packed_.data());
    const Numbers before = fixed();

    fill(calls_.predicting, poison);
    calls_.predict(pass, tensors_.weights(), packed_.data(), x());
    results.predicted.assign(calls_.predicting.y, calls_.predicting.y + outputs());
    check_end("forward", "output", calls_.predicting.y, outputs(), poison.beyond);

    const CheckedCalls::Memory& memory = calls_.training;
    fill(memory, poison);
    std::copy_n(x(), inputs(), memory.x);
    calls_.train(pass, tensors_.weights(), packed_.data());
    results.trained.assign(memory.y, memory.y + outputs());
    check_kept("the input", cleared_input().data(), memory.x, inputs());
    check_end("forward", "output", memory.y, outputs(), poison.beyond);

    results.g.resize(tensors_.size());
    std::ranges::copy(r, memory.dy);
    std::fill_n(memory.dx, inputs(), 0.0);
    hide_unneeded(poison);
    const Numbers x_before(memory.x, memory.x + inputs()), y_before(memory.y, memory.y + outputs());
    for (int i = 0; i < asked.times; ++i) {
      if (i > 0) train_again(poison);
      for (const std::span<double> part : memory.idle) std::ranges::fill(part, poison.scratch);
      calls_.backward(pass, tensors_.weights(), packed_.data(),
                      tensors_.gradients(asked.g ? results.g.data() : nullptr), asked.dx ? memory.dx : nullptr);
    }
    results.dx.assign(memory.dx, memory.dx + inputs());
    check_end("backward", "the input's gradient", memory.dx, inputs(), poison.beyond);
    check_kept("the input", x_before.data(), memory.x, inputs());
    check_kept("the output", y_before.data(), memory.y, outputs());
    check_kept("the output's gradient", cleared_gradient(memory.dy).data(), memory.dy, outputs());
    const Numbers after = fixed();
    check_kept("the parameters", before.data(), after.data(), before.size());
    return results;
  }

 private:
  static std::size_t reach(const CheckedCalls& calls) {
    return std::min<std::size_t>(calls.inputs * calls.outputs, std::size_t{1} << 16) + 1024;
  }
  static std::size_t taken(std::size_t count) { return round_up(count, alignment_elements) + alignment_elements; }

  void fill(const Poison& poison) {
    tensors_.fill_outside(poison.outside);
    std::fill_n(packed_.data(), packed_.size(), poison.packed);
    std::fill(x_.data() + inputs(), x_.data() + x_.size(), poison.beyond);
  }
  void fill(const CheckedCalls::Memory& memory, const Poison& poison) const {
    std::ranges::fill(memory.all, poison.kept);
    for (double* const in : {memory.x, memory.dx})
      if (in != nullptr) std::fill_n(in, taken(inputs()), poison.beyond);
    for (double* const out : {memory.y, memory.dy})
      if (out != nullptr) std::fill_n(out, taken(outputs()), poison.beyond);
    std::fill_n(memory.y, outputs(), poison.output);
    for (const std::span<double> part : memory.idle) std::ranges::fill(part, poison.scratch);
  }
  /// x and y where backward says that it looks at none.
  void hide_unneeded(const Poison& poison) const {
    if (!calls_.needs.input) std::fill_n(calls_.training.x, inputs(), poison.unneeded);
    if (!calls_.needs.output) std::fill_n(calls_.training.y, outputs(), poison.unneeded);
  }
  /// A forward that another backward may follow.
  void train_again(const Poison& poison) {
    std::copy_n(x(), inputs(), calls_.training.x);
    calls_.train(pass, tensors_.weights(), packed_.data());
    hide_unneeded(poison);
  }
  /// What no call may change.
  Numbers fixed() const {
    Numbers all(tensors_.data(), tensors_.data() + tensors_.size());
    all.insert(all.end(), packed_.data(), packed_.data() + packed_.size());
    return all;
  }

  /// x as a workspace has it: zero behind a sample's length.
  Numbers cleared_input() const {
    Numbers cleared(x_.data(), x_.data() + inputs());
    for (std::size_t n = 0; pass.lengths != nullptr && calls_.steps > 0 && n < samples_; ++n) {
      const std::size_t valid = pass.length(n, calls_.steps) * (calls_.inputs / calls_.steps);
      std::fill_n(cleared.data() + n * calls_.inputs + valid, calls_.inputs - valid, 0.0);
    }
    return cleared;
  }
  /// The output's gradient likewise. How many steps of an output are valid is for the layers to say: what is zero there
  /// passes.
  Numbers cleared_gradient(const double* found) const {
    Numbers cleared = r;
    for (std::size_t i = 0; pass.lengths != nullptr && i < cleared.size(); ++i)
      if (found[i] == 0) cleared[i] = 0;
    return cleared;
  }
  void check_end(const char* who, const char* what, const double* buffer, std::size_t count, double poison) {
    for (std::size_t i = count; i < taken(count); ++i)
      if (!same_number(buffer[i], poison))
        result_.refuse(std::string(who) + " writes beyond the " + std::to_string(count) + " numbers of " + what);
  }
  void check_kept(const char* what, const double* before, const double* after, std::size_t count) {
    if (!std::equal(before, before + count, after, same_number))
      result_.refuse(std::string("a kernel writes to ") + what + ", which is given to be read");
  }

  CheckedCalls& calls_;
  GradientCheck& result_;
  std::size_t samples_;
  GuardedTensors tensors_;
  AlignedArray<double> packed_, x_;

 public:
  Pass pass{};
  Numbers r;  ///< the gradient of the output
};

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
