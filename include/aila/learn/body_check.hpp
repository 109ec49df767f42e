// What check_gradients asks of a body alone: that it writes its whole output, adds to gradients, and stays inside its
// tensors. The kernels around bodies hide some of that.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "../backend/host/body.hpp"
#include "gradient_check.hpp"
#include "guarded_tensors.hpp"

namespace aila::inline v0::detail {

/// A body over double, on one row: the features of a position, or the elements of a sample.
class CheckedBody {
 public:
  virtual void forward(const double* x, Weights<double> w, double* y) = 0;
  virtual void backward(const double* x, Weights<double> w, const double* dy, double* dx, TileGradient<double>& g) = 0;

  std::size_t inputs = 0, outputs = 0;
  std::size_t reach = 0;  ///< how far a body may go astray

 protected:
  ~CheckedBody() = default;
};

/// Scratch memory that a body may not rely on.
class BodyScratch {
 public:
  explicit BodyScratch(std::size_t size) : values_(size + 1) {}
  double* data() {
    std::ranges::fill(values_, std::numeric_limits<double>::quiet_NaN());
    return values_.data();
  }

 private:
  std::vector<double> values_;
};

template <class L, class In, class Kernel>
class CheckedLayerBody final : public CheckedBody {
 public:
  CheckedLayerBody() {
    inputs = Kernel::width_in;
    outputs = Kernel::width_out;
    reach = In::elements + L::template Out<In>::elements;
  }
  void forward(const double* x, Weights<double> w, double* y) override {
    call_body<Kernel::asks>(
        scratch_.data(),
        [](auto&&... a) -> decltype(L::template forward<In>(a...)) { return L::template forward<In>(a...); }, x, w, y);
  }
  void backward(const double* x, Weights<double> w, const double* dy, double* dx, TileGradient<double>& g) override {
    call_body<Kernel::asks>(
        scratch_.data(),
        [](auto&&... a) -> decltype(L::template backward<In>(a...)) { return L::template backward<In>(a...); }, x, w,
        dy, dx, g);
  }

 private:
  BodyScratch scratch_{body_scratch<L, In>()};
};

/// Own output and earlier maps stand one behind the other.
template <class Part>
class CheckedPolicyBody final : public CheckedBody {
  using P = typename Part::Policy;
  using Own = typename Part::Own;
  using Before = typename Part::Before;

 public:
  CheckedPolicyBody() {
    inputs = reach = Own::features;
    outputs = Part::Out::features;
    for (std::size_t i = 0; i < Before::count; ++i) inputs += Before::features(i);
    reach += inputs;
  }
  void forward(const double* x, Weights<double> w, double* y) override {
    const Rows<const double> rows(x);
    call_body<asks>(
        scratch_.data(),
        [](auto&&... a) -> decltype(P::template forward<Own, Before>(a...)) {
          return P::template forward<Own, Before>(a...);
        },
        x, rows.before, w, y);
  }
  void backward(const double* x, Weights<double> w, const double* dy, double* dx, TileGradient<double>& g) override {
    const Rows<const double> rows(x);
    const Rows<double> gradients(dx);
    call_body<asks>(
        scratch_.data(),
        [](auto&&... a) -> decltype(P::template backward<Own, Before>(a...)) {
          return P::template backward<Own, Before>(a...);
        },
        x, rows.before, w, dy, dx, gradients.before, g);
  }

 private:
  template <class T>
  struct Rows {
    explicit Rows(T* next) {
      next += Own::features;
      for (std::size_t i = 0; i < Before::count; next += Before::features(i++)) before[i] = next;
    }
    T* before[Before::count + 1]{};
  };
  static constexpr bool asks = requires { P::template scratch<Own, Before>; };
  BodyScratch scratch_{policy_scratch<P, Own, Before>()};
};

class BodyCheck {
 public:
  BodyCheck(CheckedBody& body, const ParameterSpec* specs, std::size_t count, Seed seed)
      : body_(body),
        table_(table_of(specs, count)),
        guard_(body.reach + 64),
        tensors_(table_, table_.empty() ? 0 : table_.back().offset + specs[count - 1].padded_size(), reach()) {
    tensors_.draw(seed);
    x_.resize(body_.inputs);
    dy_.resize(body_.outputs);
    draw_normal(seed, "x of a body", body_.inputs, 1, x_.data());
    draw_normal(seed, "dy of a body", body_.outputs, 1, dy_.data());
  }

  BodyCheck(const BodyCheck&) = delete;
  BodyCheck& operator=(const BodyCheck&) = delete;
  ~BodyCheck() = default;

  /// What is wrong; empty where nothing is.
  std::string run() {
    for (const double poison : poisons)
      if (check_forward(poison); wrong_.empty()) check_backward(poison);
    return wrong_;
  }

 private:
  using Numbers = std::vector<double>;

  static std::vector<ParameterInfo> table_of(const ParameterSpec* specs, std::size_t count) {
    std::vector<ParameterInfo> table;
    TableBuilder{zeros(count).data(), table}.add("", specs, count);
    std::size_t offset = 0;
    for (std::size_t i = 0; i < count; offset += specs[i++].padded_size()) table[i].offset = offset;
    return table;
  }
  static std::vector<std::uint32_t> zeros(std::size_t count) { return std::vector<std::uint32_t>(count + 1); }
  std::size_t reach() const { return std::min<std::size_t>(body_.inputs * body_.outputs, std::size_t{1} << 16) + 1024; }

  /// `row` with guards of `value` before and behind it.
  Numbers guarded(const Numbers& row, double value) const {
    Numbers all(row.size() + 2 * guard_, value);
    std::ranges::copy(row, all.begin() + static_cast<std::ptrdiff_t>(guard_));
    return all;
  }
  bool guards_hold(const Numbers& all, double value) const {
    const auto holds = [&](double v) { return same_number(v, value); };
    const auto guard = static_cast<std::ptrdiff_t>(guard_);
    return std::all_of(all.begin(), all.begin() + guard, holds) && std::all_of(all.end() - guard, all.end(), holds);
  }
  void refuse(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
  }

  Numbers forward(double before, double around, double outside) {
    tensors_.fill_outside(outside);
    const Numbers x = guarded(x_, around);
    Numbers y = guarded(Numbers(body_.outputs, before), before);
    body_.forward(x.data() + guard_, tensors_.weights(), y.data() + guard_);
    if (!guards_hold(y, before))
      refuse("forward of a body writes beyond the " + std::to_string(body_.outputs) + " numbers of its output");
    return y;
  }
  void check_forward(double poison) {
    const Numbers clean = forward(0, 0, 0), again = forward(0, 0, 0);
    const Numbers stale = forward(poison, 0, 0), around = forward(0, poison, 0), outside = forward(0, 0, poison);
    for (std::size_t i = 0; i < body_.outputs; ++i) {
      const std::size_t at = guard_ + i;
      const std::string name = "output[" + std::to_string(i) + "] of a body";
      if (!same_number(again[at], clean[at])) refuse(name + " depends on the calls before");
      if (!same_number(stale[at], clean[at]))
        refuse(stale[at] == odd_number ? name + " was not written"
                                       : name + " depends on what stood in the output before");
      if (!same_number(around[at], clean[at]))
        refuse(name + " depends on numbers beyond the " + std::to_string(body_.inputs) + " of its input");
      if (!same_number(outside[at], clean[at]))
        refuse(name + " depends on numbers outside the parameters, of which there are " +
               std::to_string(table_.size()) + " tensors");
    }
  }

  struct Gradient {
    Numbers dx, g;
  };
  Gradient backward(double start, double around, double outside) {
    tensors_.fill_outside(outside);
    const Numbers x = guarded(x_, around), dy = guarded(dy_, around);
    Gradient to{guarded(Numbers(body_.inputs, start), around), Numbers(tensors_.size())};
    TileGradient<double> g{tensors_.gradients(to.g.data())};
    body_.backward(x.data() + guard_, tensors_.weights(), dy.data() + guard_, to.dx.data() + guard_, g);
    if (!guards_hold(to.dx, around))
      refuse("backward of a body writes beyond the " + std::to_string(body_.inputs) +
             " numbers of its input's gradient");
    const std::size_t found = tensors_.find_outside(to.g.data());
    if (found < tensors_.size())
      refuse("backward of a body adds to " + tensors_.name(found, "") + ", which is outside the parameters");
    return to;
  }
  void check_backward(double poison) {
    const Gradient zero = backward(0, 0, 0), one = backward(1, 0, 0);
    const Gradient around = backward(0, poison, 0), outside = backward(0, 0, poison);
    for (std::size_t i = guard_; i < guard_ + body_.inputs; ++i) {
      const double sum = 1 + zero.dx[i];
      if (!(std::abs(one.dx[i] - sum) <= 1e-9 * (1 + std::abs(sum))) && sum == sum)
        refuse("input[" + std::to_string(i - guard_) + "]: backward of a body writes the gradient where it has to add");
    }
    if (!same(one.g, zero.g)) refuse("parameters: backward of a body depends on what stood in the input's gradient");
    if (!same(around.g, zero.g) || !same_inside(around.dx, zero.dx))
      refuse("backward of a body depends on numbers beyond the ends of its input or of its output's gradient");
    if (!same(outside.g, zero.g) || !same_inside(outside.dx, zero.dx))
      refuse("backward of a body depends on numbers outside the parameters, of which there are " +
             std::to_string(table_.size()) + " tensors");
  }
  static bool same(const Numbers& a, const Numbers& b) {
    return std::equal(a.begin(), a.end(), b.begin(), same_number);
  }
  bool same_inside(const Numbers& a, const Numbers& b) const {
    const auto guard = static_cast<std::ptrdiff_t>(guard_);
    return std::equal(a.begin() + guard, a.end() - guard, b.begin() + guard, same_number);
  }

  CheckedBody& body_;
  std::vector<ParameterInfo> table_;
  std::size_t guard_;
  GuardedTensors tensors_;
  Numbers x_, dy_;
  std::string wrong_;
};

/// Checks the bodies that a network's kernels on a backend are made from.
template <class Backend>
struct CheckBodies {
  GradientCheck& result;
  std::string_view prefix;
  Seed seed;

  template <class Part>
  void operator()(const std::string& path) const {
    using Kernel = KernelFor<Part, Backend>;
    if constexpr (requires { typename Part::Policy; }) {
      if constexpr (std::is_same_v<Kernel, PolicyBodyKernel<Part, Backend>>)
        check<Part>(path, CheckedPolicyBody<Part>());
    } else if constexpr (std::is_same_v<Kernel, BodyKernel<typename Part::Layer, typename Part::In, Backend>>) {
      check<Part>(path, CheckedLayerBody<typename Part::Layer, typename Part::In, Kernel>());
    }
  }

 private:
  template <class Part, class Body>
  void check(const std::string& path, Body body) const {
    run(path, body, Part::parameters.data(), Part::parameters.size());
  }
  void run(const std::string& path, CheckedBody& body, const ParameterSpec* specs, std::size_t count) const {
    const std::string wrong = BodyCheck(body, specs, count, seed).run();
    if (wrong.empty()) return;
    const std::string inside = path + ".";
    result.refuse(inside == prefix ? wrong
                                   : (path.starts_with(prefix) ? path.substr(prefix.size()) : path) + ": " + wrong);
  }
};

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
