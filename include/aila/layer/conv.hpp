// Convolutions over the steps of a sequence or the pixels of an image.
#pragma once

#include "../core/macros_aside.hpp"

#include "initial.hpp"
#include "window.hpp"

namespace aila::inline v0 {

/// The numbers of a convolution: what its kernels are made from.
struct ConvPlan : WindowPlan {
  std::size_t inputs = 1;   ///< features in
  std::size_t outputs = 1;  ///< features out
  std::size_t groups = 1;
  constexpr std::size_t group_inputs() const { return inputs / groups; }
  constexpr std::size_t group_outputs() const { return outputs / groups; }
  constexpr std::size_t weights() const { return outputs * group_inputs() * taps(); }
};

namespace detail {

template <std::size_t filters>
struct NoFilters {
  static consteval int say() {
    constexpr bool some = filters > 0;
    static_assert(some, "aila: Conv needs at least one filter");
    return 0;
  }
};

/// What Conv and DepthwiseConv share.
template <class Filters, class Size, class Step, class Spread, class Border, class Bias, class Start>
struct Convolution : Windowed<Filters, Size, Step, Spread, Border> {
  using Slides = Windowed<Filters, Size, Step, Spread, Border>;
  static constexpr bool is_convolution = true;
  static constexpr bool has_bias = Bias::value;

  template <class In>
  static constexpr ConvPlan plan{Slides::template window<In>, In::features, Filters::filters(In::features),
                                 Filters::groups(In::features)};

  template <class In>
  static constexpr bool streams = Slides::template of_one_step<In>;
  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = streams<In>;
    static_assert(bounded, "aila: convolutions stream with Kernel<1> and Stride<1>; others need later steps");
    return 0;
  }
  template <class In>
  static consteval auto parameters() {
    constexpr ConvPlan c = plan<In>;
    constexpr std::size_t fan_in = c.group_inputs() * c.taps(), fan_out = c.group_outputs() * c.taps();
    constexpr Initialiser start = Start::make(fan_in, fan_out);
    std::array<ParameterSpec, has_bias ? 2 : 1> table{
        In::rank == 2 ? parameter("weight", {c.outputs, c.group_inputs(), c.x.kernel}, start)
                      : parameter("weight", {c.outputs, c.group_inputs(), c.y.kernel, c.x.kernel}, start)};
    if constexpr (has_bias) table[1] = parameter("bias", {c.outputs}, init::torch_uniform(fan_in)).without_decay();
    return table;
  }
  template <class In>
  static consteval std::size_t flops() {
    constexpr ConvPlan c = plan<In>;
    return c.out_positions() * c.outputs * (2 * c.group_inputs() * c.taps() + (has_bias ? 1 : 0));
  }
};

}  // namespace detail

/// A convolution with options in one order; write `Conv<Filters, options...>`.
template <std::size_t Filters, class Size, class Step, class Spread, class Border, class Group, class Bias, class Start>
struct ConvOf
    : detail::Convolution<detail::CountedFilters<Filters, Group::value>, Size, Step, Spread, Border, Bias, Start> {
  static constexpr const char* name = "conv";

  static std::string options() {
    std::string text = ConvOf::Slides::options();
    if (Group::value > 1) text += ", " + std::to_string(Group::value) + " groups";
    return text + (Bias::value ? "" : ", no bias");
  }
};

/// A depthwise convolution with options in one order; write `DepthwiseConv<options...>`.
template <class Size, class Step, class Spread, class Border, class Bias, class Start>
struct DepthwiseConvOf : detail::Convolution<detail::FilterEachFeature, Size, Step, Spread, Border, Bias, Start> {
  static constexpr const char* name = "depthwise_conv";

  static std::string options() { return DepthwiseConvOf::Slides::options() + (Bias::value ? "" : ", no bias"); }
};

namespace detail {

template <std::size_t Filters, class... Options>
struct ConvChoice {
  using Choice = OptionsOf<
      ConvChoice,
      List<role::Kernel, role::Stride, role::Dilation, role::Padding, role::Groups, role::Bias, role::Initial>,
      Options...>;
  using Refusal = std::conditional_t<(Filters > 0), RefusalOf<Choice>, NoFilters<Filters>>;
  using Conv = ConvOf<Filters, typename Choice::template Pick<role::Kernel, Kernel<3>>,
                      typename Choice::template Pick<role::Stride, Stride<1>>,
                      typename Choice::template Pick<role::Dilation, Dilation<1>>,
                      typename Choice::template Pick<role::Padding, SamePadding>,
                      typename Choice::template Pick<role::Groups, Groups<1>>,
                      typename Choice::template Pick<role::Bias, WithBias>,
                      typename Choice::template Pick<role::Initial, Initial<init::TorchUniform>>>;
  using type = std::conditional_t<std::is_same_v<Refusal, NoRefusal>, Conv, Refuse<Refusal>>;
};

template <class... Options>
struct DepthwiseConvChoice {
  using Choice =
      OptionsOf<DepthwiseConvChoice,
                List<role::Kernel, role::Stride, role::Dilation, role::Padding, role::Bias, role::Initial>, Options...>;
  using Conv = DepthwiseConvOf<
      typename Choice::template Pick<role::Kernel, Kernel<3>>, typename Choice::template Pick<role::Stride, Stride<1>>,
      typename Choice::template Pick<role::Dilation, Dilation<1>>,
      typename Choice::template Pick<role::Padding, SamePadding>, typename Choice::template Pick<role::Bias, WithBias>,
      typename Choice::template Pick<role::Initial, Initial<init::TorchUniform>>>;
  using type = std::conditional_t<Refused<Choice>, Refuse<RefusalOf<Choice>>, Conv>;
};

}  // namespace detail

/// y[q, o] = b[o] + sum over taps k and features i of the group of o: W[o, i, k] x[stride q + dilation k - padding, i];
/// positions outside the map, and steps beyond a sample's length, count as zero.
///
/// [steps, C] -> [steps', Filters] with one axis, [H, W, C] -> [H', W', Filters] with two; along each axis
/// n' = floor((n + 2 padding - dilation (kernel - 1) - 1) / stride) + 1, and lengths map alike (0 stays 0; steps beyond
/// them give 0). weight [Filters, C / groups, kernel...], bias [Filters], as PyTorch's Conv1d and Conv2d; both start
/// uniform in +-1/sqrt(C / groups x taps), as there.
/// Options in any order: Kernel<3>, Stride<1>, Dilation<1>, SamePadding or Padding<...>, Groups<1>, NoBias,
/// Initial<rule>.
template <std::size_t Filters, class... Options>
using Conv = typename detail::ConvChoice<Filters, Options...>::type;

/// Conv with one filter for each feature, which reads that feature alone; options as Conv's but for Groups. weight
/// [C, 1, kernel...], bias [C].
template <class... Options>
using DepthwiseConv = typename detail::DepthwiseConvChoice<Options...>::type;

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
