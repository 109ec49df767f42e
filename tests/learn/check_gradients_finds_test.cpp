// Wrong programs whose gradients agree with differences, and what the gradient checker says of each.
#include <doctest/doctest.h>

#include <aila/integrate/policies.hpp>
#include <aila/learn/check_loss_gradients.hpp>
#include <aila/learn/losses.hpp>
#include <limits>

#include "gradients.hpp"

namespace aila {
namespace {

using doctest::Contains;

/// y = w x x on the features of each position, right but for what is wrong.
enum class Wrong {
  nothing,
  forgets_position_wise,
  leaves_one_out,
  adds_to_output,
  guards_against_nan,
  weight_beyond,
  tensor_beyond,
  input_beyond,
  output_beyond,
  counts_calls,
  gradient_element_beyond,
  gradient_tensor_beyond,
  writes_input_gradient,
  reads_input_gradient,
  input_gradient_beyond
};

Wrong wrong = Wrong::nothing;
int calls = 0;

template <bool says_position_wise>
struct Body {
  static constexpr bool position_wise = says_position_wise;
  template <class In>
  using Out = In;
  template <class In>
  static consteval auto parameters() {
    return std::array{parameter("weight", {In::features}, init::zeros())};
  }
  template <class In, class V>
  static void forward(const V* x, Weights<ScalarOf<V>> w, V* y) {
    constexpr std::size_t F = In::features;
    for (std::size_t f = 0; f < F; ++f) {
      if (wrong == Wrong::leaves_one_out && f == 2) continue;
      V value = V(w[0][f]) * x[f] * x[f];
      if constexpr (std::is_same_v<V, double>)  // of no effect on a number that is none
        if (wrong == Wrong::guards_against_nan && y[f] > 1000) value += 1;
      y[f] = wrong == Wrong::adds_to_output ? y[f] + value : value;
    }
    if (wrong == Wrong::weight_beyond) y[1] += V(w[0][F]) * x[0];
    if (wrong == Wrong::tensor_beyond) y[1] += V(w[1][0]) * x[0];
    if (wrong == Wrong::input_beyond) y[1] += x[F];
    if (wrong == Wrong::output_beyond) y[F] = x[0];
    if (wrong == Wrong::counts_calls) y[1] += V(ScalarOf<V>(++calls));
  }
  template <class In, class V, class G>
  static void backward(const V* x, Weights<ScalarOf<V>> w, const V* dy, V* dx, G& g) {
    constexpr std::size_t F = In::features;
    for (std::size_t f = 0; f < F; ++f) {
      const V slope = V(2) * V(w[0][f]) * x[f] * dy[f];
      dx[f] = wrong == Wrong::writes_input_gradient ? slope : dx[f] + slope;
      g.add(0, f, x[f] * x[f] * dy[f]);
    }
    if (wrong == Wrong::gradient_element_beyond) g.add(0, F, x[0]);
    if (wrong == Wrong::gradient_tensor_beyond) g.add(1, 0, x[0]);
    if (wrong == Wrong::reads_input_gradient) g.add(0, 0, dx[0] - V(2) * V(w[0][0]) * x[0] * dy[0]);
    if (wrong == Wrong::input_gradient_beyond) dx[F] += dy[0];
  }
};

using Rows = Sequence<3, 4>;
std::string said_of(Wrong what) {
  wrong = what;
  const GradientCheck check =
      what == Wrong::forgets_position_wise ? check_gradients<Body<false>, Rows>() : check_gradients<Body<true>, Rows>();
  wrong = Wrong::nothing;
  CHECK(check.ok == (what == Wrong::nothing));
  return check.where;
}

TEST_CASE("the gradient checker knows how much it compared") {
  const GradientCheck check = check_gradients<Body<true>, Rows>();
  CHECK(check.ok);
  CHECK(check.compared == 3 * 12 + 4);
  CHECK(check.nonzero == 3 * 12 + 4);
  CHECK(check.constant.empty());
  CHECK(check_gradients<Body<true>, Rows, CpuDouble>().nonzero == 3 * 12 + 4);
  CHECK_FALSE(GradientCheck{}.ok);

  const GradientCheck one_step = check_gradients<Lstm<2>, Sequence<1, 3>>();
  CHECK(one_step.ok);
  CHECK(one_step.constant == "weight_hh");
}

TEST_CASE("the gradient checker finds bodies that write too little, too much, or what they only guess") {
  CHECK(said_of(Wrong::forgets_position_wise) == "output[4] of a body was not written");
  CHECK(said_of(Wrong::leaves_one_out) == "output[2] of a body was not written");
  CHECK(said_of(Wrong::adds_to_output) == "output[0] of a body depends on what stood in the output before");
  CHECK(said_of(Wrong::guards_against_nan) == "output[0] of a body depends on what stood in the output before");
  CHECK(said_of(Wrong::output_beyond) == "forward of a body writes beyond the 4 numbers of its output");
  CHECK(said_of(Wrong::input_beyond) == "output[1] of a body depends on numbers beyond the 4 of its input");
  CHECK(said_of(Wrong::counts_calls) == "output[1] of a body depends on the calls before");
  CHECK(said_of(Wrong::writes_input_gradient) ==
        "input[0]: backward of a body writes the gradient where it has to add");
  CHECK(said_of(Wrong::reads_input_gradient) ==
        "parameters: backward of a body depends on what stood in the input's gradient");
  CHECK(said_of(Wrong::input_gradient_beyond) ==
        "backward of a body writes beyond the 4 numbers of its input's gradient");
}

TEST_CASE("the gradient checker finds bodies that leave their tensors") {
  const std::string outside =
      "output[1] of a body depends on numbers outside the parameters, of which there are 1 tensors";
  CHECK(said_of(Wrong::weight_beyond) == outside);
  CHECK(said_of(Wrong::tensor_beyond) == outside);
  CHECK(said_of(Wrong::gradient_element_beyond) ==
        "backward of a body adds to weight[4], which is outside the parameters");
  CHECK(said_of(Wrong::gradient_tensor_beyond) ==
        "backward of a body adds to a tensor beyond the last, of 1, which is outside the parameters");
}

/// Its table of parameters has the wrong name, so that it has none: w[0] belongs to the layer behind it.
struct Misspelt : Body<true> {
  static constexpr const char* name = "misspelt";
  template <class In>
  static consteval auto parameters() = delete;
  template <class In>
  static consteval auto parameter() {
    return Body<true>::parameters<In>();
  }
};

TEST_CASE("the gradient checker finds a misspelt table of parameters, alone and before other layers") {
  const std::string said =
      "output[0] of a body depends on numbers outside the parameters, of which there are 0 tensors";
  CHECK(check_gradients<Misspelt, Rows>().where == said);
  const GradientCheck chain = check_gradients<Chain<Misspelt, Linear<4>>, Rows, CpuDouble>();
  CHECK_FALSE(chain.ok);
  CHECK(chain.where == "misspelt: " + said);
}

/// y = c, and y = x without a word of its gradient's being zero.
struct Constant {
  template <class In>
  using Out = In;
  template <class V>
  static constexpr V value(V) {
    return V(2);
  }
  template <class V>
  static constexpr V slope(V, V) {
    return V(0);
  }
};

TEST_CASE("a check that could not have failed is none") {
  const GradientCheck constant = check_gradients<Constant, Vector<5>>();
  CHECK_FALSE(constant.ok);
  CHECK(constant.where == "all 15 derivatives are zero, so that none was checked");
  CHECK(constant.constant == "input");

  CHECK(check_gradients<Tanh, Vector<5>>({.samples = 0}).where ==
        "options: expected one sample or more, found samples = 0");
  CHECK_FALSE(check_gradients<integrate::None>({.samples = 0}).ok);
  for (const double tolerance : {-1.0, 1.0, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_FALSE(check_gradients<Tanh, Vector<5>>({.tolerance = tolerance}).ok);
    CHECK_FALSE(check_gradients<integrate::None>({.tolerance = tolerance}).ok);
    CHECK_FALSE(check_loss_gradients<MeanSquaredError, Vector<2>>({}, {.tolerance = tolerance}).ok);
  }
  CHECK(check_gradients<Tanh, Vector<5>>({.tolerance = 2}).where ==
        "options: expected a tolerance of at least 0 and below 1, found 2.000000");
  CHECK_FALSE(check_loss_gradients<MeanSquaredError, Vector<2>>({}, {.samples = 0}).ok);
}

/// A kernel of y = w x, right but for what is wrong.
enum class Fault {
  nothing,
  unwritten_output,
  unwritten_saved,
  unwritten_packed,
  zero_scratch,
  scratch_of_forward,
  beyond_input,
  past_output,
  other_samples,
  last_call,
  other_in_training,
  writes_input_gradient,
  writes_input,
  writes_parameters,
  frozen_gradient,
  tensor_beyond,
  gradient_beyond
};

struct Weighted {
  static constexpr const char* name = "weighted";
  template <class In>
  using Out = In;
  template <class In>
  static consteval auto parameters() {
    return std::array{parameter("weight", {In::elements}, init::zeros()),
                      parameter("fixed", {1}, init::zeros()).of_kind(ParameterKind::frozen)};
  }
};

Fault fault = Fault::nothing;
double remembered = 0;

template <class In>
struct FaultyKernel : KernelDefaults<double> {
  static constexpr std::size_t E = In::elements;
  template <Capability>
  struct Saved {
    double* kept = nullptr;
    void bind(Arena<double>& arena, std::size_t samples) { kept = arena.take(samples); }
  };
  static constexpr std::size_t packed = E;
  static void pack(Weights<double> w, double* to) {
    for (std::size_t i = fault == Fault::unwritten_packed ? 1 : 0; i < E; ++i) to[i] = w[0][i];
  }
  static constexpr std::size_t scratch(std::size_t, Capability) { return E; }
  template <Capability C>
  static void forward(const Pass& pass, Weights<double> w, const double* packed_weights, const double* x, double* y,
                      Saved<C>& saved, double* scratch) {
    for (std::size_t i = 0; i < pass.samples * E; ++i)
      if (fault != Fault::unwritten_output || i != 7) y[i] = packed_weights[i % E] * x[i];
    if (fault == Fault::unwritten_saved) y[0] += saved.kept[0];
    if (fault == Fault::zero_scratch) y[1] += scratch[1];
    if (fault == Fault::beyond_input) y[1] += x[pass.samples * E];
    if (fault == Fault::past_output) y[pass.samples * E] = 1;
    if (fault == Fault::other_samples) y[(pass.samples - 1) * E] += 1e-3 * x[0] * double(pass.samples > 1);
    if (fault == Fault::last_call) y[0] += std::exchange(remembered, x[1]);
    if (fault == Fault::other_in_training && C == Capability::train) y[0] += 1e-3;
    if (fault == Fault::tensor_beyond) y[0] += w[2][0];
    if (fault == Fault::writes_parameters) const_cast<double*>(w[0])[1] += 1;
    scratch[0] = x[0];
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<double> w, const double*, const double* x, const double*,
                       const double* dy, double* dx, Gradients<double> g, Saved<C>&, double* scratch) {
    const double first = fault == Fault::scratch_of_forward ? scratch[0] : x[0];
    for (std::size_t i = 0; i < pass.samples * E; ++i) {
      if (g) g[0][i % E] += (i == 0 ? first : x[i]) * dy[i];
      if (dx != nullptr) dx[i] = (fault == Fault::writes_input_gradient ? 0 : dx[i]) + w[0][i % E] * dy[i];
    }
    if (fault == Fault::writes_input) const_cast<double*>(x)[0] = 0;
    if (fault == Fault::frozen_gradient && g) g[1][0] += 1;
    if (fault == Fault::gradient_beyond && g) g[2][0] += 1;
  }
};
template <class In>
FaultyKernel<In> select_kernel(rank::Layer, Placed<Weighted, In>, ReferenceDouble);

std::string said_of(Fault what) {
  fault = what;
  const GradientCheck check = check_gradients<Weighted, Vector<3>>();
  CHECK(check.ok == (what == Fault::nothing));
  return check.where;
}

TEST_CASE("the gradient checker finds kernels that rely on what memory holds") {
  said_of(Fault::nothing);
  CHECK(said_of(Fault::unwritten_output) == "output[7] was not written");
  CHECK(said_of(Fault::unwritten_saved) == "output[0] depends on memory between layers that was not written");
  CHECK(said_of(Fault::unwritten_packed) == "output[0] depends on packed weights that pack did not write");
  CHECK(said_of(Fault::zero_scratch) == "output[1] depends on what stood in scratch memory before the call");
  CHECK(said_of(Fault::scratch_of_forward) ==
        "the gradient of weight[0] depends on what stood in scratch memory before the call");
  CHECK(said_of(Fault::beyond_input) == "output[1] depends on what stands beyond the end of an array");
  CHECK(said_of(Fault::tensor_beyond) == "output[0] depends on numbers outside the parameters");
}

/// y = x^2, whose slope is not one of y alone.
struct Square : ElementWise {
  static constexpr BackwardNeeds slope_needs{.input = false};
  template <class V>
  static constexpr V value(V x) {
    return x * x;
  }
  template <class V>
  static constexpr V slope(V x, V) {
    return x + x;
  }
};
/// Its kernel looks at y, too.
struct Halved {
  template <class In>
  using Out = In;
};
template <class In>
struct HalvedKernel : KernelDefaults<double> {
  static constexpr BackwardNeeds backward_needs{.output = false};
  template <Capability C>
  static void forward(const Pass& pass, Weights<double>, const double*, const double* x, double* y, NothingSaved&,
                      double*) {
    for (std::size_t i = 0; i < pass.samples * In::elements; ++i) y[i] = x[i] / (1 + x[i] * x[i]);
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<double>, const double*, const double* x, const double* y,
                       const double* dy, double* dx, Gradients<double>, NothingSaved&, double*) {
    for (std::size_t i = 0; dx != nullptr && i < pass.samples * In::elements; ++i)
      dx[i] += dy[i] * (1 / (1 + x[i] * x[i]) - 2 * y[i] * y[i]);
  }
};
template <class In>
HalvedKernel<In> select_kernel(rank::Layer, Placed<Halved, In>, ReferenceDouble);

TEST_CASE("the gradient checker finds backwards that look at what they say they do not") {
  CHECK(check_gradients<Square, Vector<3>>().where ==
        "the gradient of input[0] depends on a map that backward is said not to need");
  CHECK(check_gradients<Halved, Vector<3>>().where ==
        "the gradient of input[0] depends on a map that backward is said not to need");
}

TEST_CASE("the gradient checker finds kernels that depend on other samples or calls, or write where they must not") {
  CHECK(said_of(Fault::other_samples).starts_with("output of samples alone["));
  CHECK(said_of(Fault::last_call) == "output[0] depends on the calls before");
  CHECK(said_of(Fault::other_in_training) == "output of prediction[0]");
  CHECK(said_of(Fault::writes_input_gradient).starts_with("input, backward twice["));
  CHECK(said_of(Fault::writes_input) == "a kernel writes to the input, which is given to be read");
  CHECK(said_of(Fault::writes_parameters) == "a kernel writes to the parameters, which is given to be read");
  CHECK(said_of(Fault::past_output) == "forward writes beyond the 9 numbers of output");
  CHECK(said_of(Fault::frozen_gradient) == "backward adds to fixed[0], which is not trainable");
  CHECK(said_of(Fault::gradient_beyond) ==
        "backward adds to a tensor beyond the last, of 2, which is outside the parameters");
}

/// a = w times the first earlier layer, right but for what is wrong.
enum class Slip { nothing, leaves_one_out, misspelt, writes_own_gradient, writes_gradient, tensor_beyond };

Slip slip = Slip::nothing;

template <bool has_parameters>
struct Slipping : integrate::Policy {
  template <class Own, class Before>
  static constexpr bool accepts = Before::features(0) == Own::features;
  template <class Own, class Before>
  static consteval auto parameters() {
    if constexpr (!has_parameters)
      return NoParameters{};
    else
      return std::array{parameter("weight", {Own::features}, init::zeros())};
  }
  template <class Own, class Before, class V>
  static void forward(const V*, const V* const* before, auto w, V* a) {
    for (std::size_t f = slip == Slip::leaves_one_out ? 1 : 0; f < Own::features; ++f) a[f] = V(w[0][f]) * before[0][f];
    if (slip == Slip::tensor_beyond) a[0] += V(w[1][0]);
  }
  template <class Own, class Before, class V>
  static void backward(const V*, const V* const* before, auto w, const V* da, V* d_own, V* const* d_before, auto& g) {
    for (std::size_t f = 0; f < Own::features; ++f) {
      const V slope = V(w[0][f]) * da[f];
      d_before[0][f] = slip == Slip::writes_gradient ? slope : d_before[0][f] + slope;
      if (slip == Slip::writes_own_gradient) d_own[f] = V(0);
      g.add(0, f, before[0][f] * da[f]);
    }
  }
};

std::string said_of(Slip what) {
  slip = what;
  const GradientCheck check = what == Slip::misspelt ? check_gradients<Slipping<false>, Sequence<2, 3>>()
                                                     : check_gradients<Slipping<true>, Sequence<2, 3>>();
  CHECK(check.ok == (what == Slip::nothing));
  return check.where;
}

TEST_CASE("the gradient checker finds policies that break their contract") {
  said_of(Slip::nothing);
  CHECK(said_of(Slip::leaves_one_out) == "depth 2: 1.integrate: output[0] of a body was not written");
  CHECK(said_of(Slip::misspelt) ==
        "depth 2: 1.integrate: output[0] of a body depends on numbers outside the parameters, of which there are 0 "
        "tensors");
  CHECK(said_of(Slip::tensor_beyond) ==
        "depth 2: 1.integrate: output[0] of a body depends on numbers outside the parameters, of which there are 1 "
        "tensors");
  CHECK(said_of(Slip::writes_own_gradient) ==
        "depth 2: 1.integrate: input[0]: backward of a body writes the gradient where it has to add");
  CHECK(said_of(Slip::writes_gradient) ==
        "depth 2: 1.integrate: input[3]: backward of a body writes the gradient where it has to add");
}

/// The squared error of each output, right but for what is wrong.
enum class Blunder {
  nothing,
  leaves_one_out,
  adds_to_gradient,
  gradient_beyond,
  ignores_targets,
  ignores_a_target,
  ignores_outputs,
  other_samples,
  target_beyond,
  reads_gradient,
  value_of_gradient
};

struct Squares : MeanSquaredError {
  Blunder blunder = Blunder::nothing;

  template <class Out, class V>
  V operator()(const V* output, const V* target, V* gradient) const {
    V sum = V(0);
    for (std::size_t i = 0; i < Out::elements; ++i) {
      V t = target[i];
      if (blunder == Blunder::ignores_targets || (blunder == Blunder::ignores_a_target && i == 1)) t = V(1);
      const V e = blunder == Blunder::ignores_outputs ? t : output[i] - t;
      sum += e * e;
      if (gradient == nullptr || (blunder == Blunder::leaves_one_out && i == 1)) continue;
      const V slope = blunder == Blunder::ignores_outputs ? V(0) : V(2) * e;
      gradient[i] = blunder == Blunder::adds_to_gradient ? gradient[i] + slope : slope;
    }
    if (blunder == Blunder::gradient_beyond && gradient != nullptr) gradient[Out::elements] = sum;
    if (blunder == Blunder::other_samples) sum += V(math::reduce_add(target[0]));
    if (blunder == Blunder::target_beyond) sum += target[Out::elements];
    if (blunder == Blunder::reads_gradient && gradient != nullptr) sum += gradient[Out::elements];
    if (blunder == Blunder::value_of_gradient && gradient != nullptr) sum += V(1);
    return sum;
  }
};

template <class Backend = ReferenceDouble>
std::string said_of(Blunder blunder) {
  Squares squares;
  squares.blunder = blunder;
  const GradientCheck check = check_loss_gradients<Squares, Vector<3>, Backend>(squares);
  CHECK(check.ok == (blunder == Blunder::nothing));
  return check.where;
}

TEST_CASE("the gradient checker finds losses that break their contract") {
  said_of(Blunder::nothing);
  CHECK(check_loss_gradients<Squares, Vector<3>>().compared == 9);
  CHECK(check_loss_gradients<Squares, Vector<3>>().nonzero == 9);
  CHECK(said_of(Blunder::leaves_one_out) == "the gradient of output[1] was not written");
  CHECK(said_of(Blunder::adds_to_gradient).starts_with("the gradient of output[0] depends on what stood in it before"));
  CHECK(said_of(Blunder::gradient_beyond) == "a loss writes beyond the 3 numbers of its gradient");
  CHECK(said_of(Blunder::ignores_targets) == "the loss is the same whatever target[0] is");
  CHECK(said_of(Blunder::ignores_a_target) == "the loss is the same whatever target[1] is");
  CHECK(said_of(Blunder::ignores_outputs) == "all 9 derivatives are zero, so that none was checked");
  CHECK(said_of<CpuDouble>(Blunder::other_samples) == "the loss of sample 0 depends on the samples beside it");
  CHECK(said_of(Blunder::target_beyond).starts_with("the loss depends on what lies beyond"));
  CHECK(said_of(Blunder::reads_gradient).starts_with("the loss depends on what lies beyond"));
  CHECK(said_of(Blunder::value_of_gradient).starts_with("loss without gradient of sample["));
}

}  // namespace
}  // namespace aila
