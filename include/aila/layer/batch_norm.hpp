// BatchNorm: normalises each feature over the batch and its positions.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/layer.hpp"
#include "../core/option.hpp"

namespace aila::inline v0 {

namespace role {
struct StatisticsRate;
struct Epsilon;
}  // namespace role

namespace detail {
template <std::size_t thousandths>
struct StatisticsRateAboveOne {
  static consteval int say() {
    constexpr bool within = thousandths <= 1000;
    static_assert(within, "aila: StatisticsRate is at most 1000, all the way to the batch's statistics");
    return 0;
  }
};
}  // namespace detail

/// BatchNorm's option: a running statistic moves by Thousandths / 1000 of the way to the batch's (`momentum` in
/// PyTorch). At most 1000: beyond, a variance could become negative.
template <std::size_t Thousandths>
struct StatisticsRate {
  using Refusal =
      std::conditional_t<(Thousandths <= 1000), detail::NoRefusal, detail::StatisticsRateAboveOne<Thousandths>>;
  using role = role::StatisticsRate;
  static constexpr double value = static_cast<double>(Thousandths) / 1000;
};
/// BatchNorm's option: epsilon is Millionths / 1,000,000.
template <std::size_t Millionths>
struct Epsilon {
  using role = role::Epsilon;
  static constexpr double value = static_cast<double>(Millionths) / 1'000'000;
};

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias for each feature; [positions..., F] stays. While training,
/// mean and (biased) variance are those of the batch over all samples and positions, steps beyond a sample's length
/// left out; otherwise, and inside Frozen or under a part rate of 0, they are the running ones, which each training
/// step moves towards the batch's mean and unbiased variance: running += rate (batch - running). A batch with one value
/// a feature, such as a last one of one vector, has no variance: it is normalised by the running statistics, and leaves
/// them as they are. Samples count alike, whatever their weights in the loss. weight, bias [F]; buffers running_mean,
/// running_var [F]. Options `StatisticsRate<100>`, thousandths, and `Epsilon<10>`, millionths: PyTorch's defaults. The
/// groups of a batch meet once in a forward and once in a backward. Source: arXiv 1502.03167.
template <class... Options>
struct BatchNorm {
  static constexpr const char* name = "batch_norm";
  static constexpr bool is_batch_norm = true;
  using Choice = OptionsOf<BatchNorm, List<role::StatisticsRate, role::Epsilon>, Options...>;
  using Refusal = detail::RefusalOf<Choice>;
  static constexpr double rate = Choice::template Pick<role::StatisticsRate, StatisticsRate<100>>::value;
  static constexpr double epsilon = Choice::template Pick<role::Epsilon, Epsilon<10>>::value;

  template <class In>
  static constexpr bool accepts = RealShape<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool real = RealShape<In>;
    static_assert(real, "aila: BatchNorm takes real features; embed tokens first");
    return 0;
  }
  template <class In>
  using Out = In;
  template <class In>
  static constexpr bool streams = true;
  template <class In>
  static consteval auto parameters() {
    constexpr std::size_t f = In::features;
    return std::array{parameter("weight", {f}, init::ones()).without_decay(),
                      parameter("bias", {f}, init::zeros()).without_decay(),
                      parameter("running_mean", {f}, init::zeros()).without_decay().of_kind(ParameterKind::buffer),
                      parameter("running_var", {f}, init::ones()).without_decay().of_kind(ParameterKind::buffer)};
  }
  template <class In>
  static consteval std::size_t flops() {
    return 2 * In::elements;  // at prediction
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
