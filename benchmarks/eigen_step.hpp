// One step of LSTM(1 -> N) + Linear(N -> 1) written with Eigen: what a program without this library would have.
#pragma once

#include <aila/aila.hpp>

// After the library: it brings the intrinsics in without g++'s false warnings.
#include <Eigen/Core>

namespace aila_benchmarks {

/// As one writes it in Eigen: fixed sizes, column-major, all gates in one product.
template <int N>
class EigenStep {
 public:
  template <class ModelType>
  explicit EigenStep(const ModelType& model) {
    using RowMajor = Eigen::Matrix<float, 4 * N, N, Eigen::RowMajor>;
    weight_ih_ = Eigen::Map<const Gates>(model.parameter("lstm.weight_ih").data());
    weight_hh_ = Eigen::Map<const RowMajor>(model.parameter("lstm.weight_hh").data());
    bias_ = Eigen::Map<const Gates>(model.parameter("lstm.bias").data());
    out_ = Eigen::Map<const Units>(model.parameter("linear.weight").data());
    out_bias_ = model.parameter("linear.bias")[0];
    h_.setZero();
    c_.setZero();
  }
  float step(float x) {
    Gates gates = weight_ih_ * x + bias_;
    gates.noalias() += weight_hh_ * h_;
    const auto i = gates.template segment<N>(0).array().logistic();
    const auto f = gates.template segment<N>(N).array().logistic();
    const auto g = gates.template segment<N>(2 * N).array().tanh();
    const auto o = gates.template segment<N>(3 * N).array().logistic();
    c_ = (f * c_.array() + i * g).matrix();
    h_ = (o * c_.array().tanh()).matrix();
    return out_.dot(h_) + out_bias_;
  }

 private:
  using Gates = Eigen::Matrix<float, 4 * N, 1>;
  using Units = Eigen::Matrix<float, N, 1>;
  Gates weight_ih_, bias_;
  Eigen::Matrix<float, 4 * N, N> weight_hh_;
  Units h_, c_, out_;
  float out_bias_ = 0;
};

}  // namespace aila_benchmarks
