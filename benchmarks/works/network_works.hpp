// The works of one network: training steps, predictions of a batch, predictions of one sample.
#pragma once

#include <array>
#include <chrono>
#include <numeric>
#include <utility>

#include "networks.hpp"
#include "work.hpp"

namespace works {

/// First weights and something on top of each: no score is zero, and no norm is the identity.
template <class Net>
aila::Model<Net> make_model() {
  aila::Model<Net> model{aila::Seed{7}};
  model.edit([](std::span<float> all) {
    std::uint32_t stream = 0;
    for (const aila::ParameterInfo& p : aila::parameter_table<Net>()) {
      ++stream;
      for (std::size_t i = 0; i < p.size; ++i) all[p.offset + i] += 0.05F * number(stream, i);
    }
  });
  return model;
}

template <class Task, class Net>
aila::Samples<aila::NetworkInput<Net>> make_samples(std::size_t count) {
  aila::Samples<aila::NetworkInput<Net>> samples;
  samples.inputs = numbers(1001, count * aila::NetworkInput<Net>::elements);
  for (std::size_t i = 0; i < count; ++i) samples.targets.push_back(Task::target(i, number(1002, i)));
  return samples;
}

template <class Shape>
std::vector<std::size_t> shape_of(std::size_t samples) {
  std::vector<std::size_t> shape{samples};
  shape.insert(shape.end(), Shape::extents.begin(), Shape::extents.end());
  return shape;
}

/// The tensors of an array of the canonical layout.
template <class Net>
void append_tensors(std::vector<Tensor>& tensors, const std::string& prefix, std::span<const float> all) {
  for (const aila::ParameterInfo& p : aila::parameter_table<Net>()) {
    const auto values = all.subspan(p.offset, p.size);
    tensors.push_back({.name = prefix + p.name,
                       .shape = {p.extents.begin(), p.extents.begin() + static_cast<std::ptrdiff_t>(p.rank)},
                       .values = {values.begin(), values.end()}});
  }
}

/// Forward, backward and Adam over one batch, on a pool of threads.
template <class Task, class Net>
class Training final : public Run {
 public:
  explicit Training(std::size_t threads) : pool_(threads) { std::iota(indices_.begin(), indices_.end(), 0); }

  void repeat(std::size_t times) override {
    for (std::size_t i = 0; i < times; ++i) loss_ = trainer_.step(source_, indices_).loss;
    keep(&loss_);
  }
  std::vector<Tensor> dump() override {
    std::vector<Tensor> tensors;
    append_tensors<Net>(tensors, "", model_.parameters());
    repeat(1);
    append_tensors<Net>(tensors, "gradient.", trainer_.gradient());
    tensors.push_back({"work.input", shape_of<aila::NetworkInput<Net>>(Task::batch), samples_.inputs});
    tensors.push_back({"work.target", {Task::batch}, samples_.targets});
    tensors.push_back({"work.loss", {1}, {static_cast<float>(loss_)}});
    return tensors;
  }

 private:
  aila::ThreadPool pool_;
  aila::Model<Net> model_ = make_model<Net>();
  aila::Samples<aila::NetworkInput<Net>> samples_ = make_samples<Task, Net>(Task::batch);
  aila::SourceRef<aila::NetworkInput<Net>> source_{samples_};
  aila::Trainer<Net, typename Task::Loss> trainer_{model_, {}, {}, {.batch = Task::batch}, pool_};
  std::array<std::size_t, Task::batch> indices_{};
  double loss_ = 0;
};

/// A batch through the network, on a pool of threads.
template <class Task, class Net>
class Prediction final : public Run {
 public:
  explicit Prediction(std::size_t threads) : pool_(threads) {}

  void repeat(std::size_t times) override {
    for (std::size_t i = 0; i < times; ++i) {
      outputs_ = evaluator_.predict(model_, source_);
      keep(outputs_.data());
    }
  }
  std::vector<Tensor> dump() override {
    std::vector<Tensor> tensors;
    append_tensors<Net>(tensors, "", model_.parameters());
    repeat(1);
    tensors.push_back({"work.input", shape_of<aila::NetworkInput<Net>>(Task::batch), samples_.inputs});
    tensors.push_back({"work.output", shape_of<aila::NetworkOutput<Net>>(Task::batch), outputs_});
    return tensors;
  }

 private:
  aila::ThreadPool pool_;
  aila::Model<Net> model_ = make_model<Net>();
  aila::Samples<aila::NetworkInput<Net>> samples_ = make_samples<Task, Net>(Task::batch);
  aila::SourceRef<aila::NetworkInput<Net>> source_{samples_};
  aila::Evaluator<Net, aila::NoLoss> evaluator_{pool_};
  std::vector<float> outputs_;
};

/// A Predictor, or a WavefrontPredictor on two threads where the network can and that is faster.
template <class Net>
class FasterPredictor {
 public:
  FasterPredictor(const aila::Model<Net>& model, const std::vector<float>& inputs) : one_(model), two_(model) {
    if constexpr (shares) {
      const auto sample = std::span(inputs).template first<aila::NetworkInput<Net>::elements>();
      two_is_faster_ = least_seconds(two_, sample) < least_seconds(one_, sample);
    }
  }
  template <class X>
  auto operator()(const X& x) {
    if constexpr (shares) {
      if (two_is_faster_) return two_(x);
    }
    return one_(x);
  }
  std::size_t threads() const { return two_is_faster_ ? 2 : 1; }

 private:
  static constexpr bool shares = aila::SequenceShape<aila::NetworkInput<Net>>;
  /// Of a single call. A thread that has just begun may share its maker's core for some time: it is given 0.2 s.
  template <class Predict, class X>
  static double least_seconds(Predict& predict, const X& x) {
    using Clock = std::chrono::steady_clock;
    double least = 1;
    const auto end = Clock::now() + std::chrono::milliseconds(200);
    for (auto begin = Clock::now(); begin < end;) {
      keep(predict(x).data());
      const auto now = Clock::now();
      least = std::min(least, std::chrono::duration<double>(now - begin).count());
      begin = now;
    }
    return least;
  }

  aila::Predictor<Net> one_;
  std::conditional_t<shares, aila::WavefrontPredictor<Net>, aila::Predictor<Net>> two_;
  bool two_is_faster_ = false;
};

/// One sample at a time, of those of a batch in turn.
template <class Task, class Net>
class SinglePrediction final : public Run {
  using In = aila::NetworkInput<Net>;

 public:
  void repeat(std::size_t times) override {
    for (std::size_t i = 0; i < times; ++i) {
      keep(predict_(sample(at_)).data());
      at_ = (at_ + 1) % Task::batch;
    }
  }
  std::size_t threads_used() const override { return predict_.threads(); }
  std::vector<Tensor> dump() override {
    std::vector<Tensor> tensors;
    append_tensors<Net>(tensors, "", model_.parameters());
    std::vector<float> outputs;
    for (std::size_t i = 0; i < Task::batch; ++i) {
      const auto output = predict_(sample(i));
      outputs.insert(outputs.end(), output.begin(), output.end());
    }
    tensors.push_back({"work.input", shape_of<In>(Task::batch), inputs_});
    tensors.push_back({"work.output", shape_of<aila::NetworkOutput<Net>>(Task::batch), outputs});
    return tensors;
  }

 private:
  std::span<const float, In::elements> sample(std::size_t i) const {
    return std::span<const float, In::elements>(inputs_.data() + i * In::elements, In::elements);
  }
  aila::Model<Net> model_ = make_model<Net>();
  std::vector<float> inputs_ = make_samples<Task, Net>(Task::batch).inputs;
  FasterPredictor<Net> predict_{model_, inputs_};
  std::size_t at_ = 0;
};

/// Backward counts as twice the forward's operations.
template <class Task, class Policy>
void add_network(Works& works, const std::string& name) {
  using Net = typename Task::template Net<Policy>;
  constexpr auto forward = static_cast<double>(aila::flops<Net>);
  constexpr double batch = forward * static_cast<double>(Task::batch);
  for (const std::size_t threads : {std::size_t{2}, std::size_t{1}}) {
    works.push_back({.name = "train/" + name + (threads == 1 ? "/1t" : ""),
                     .threads = threads,
                     .flops = 3 * batch,
                     .start = [threads] { return std::make_unique<Training<Task, Net>>(threads); }});
  }
  works.push_back({.name = "predict/" + name, .threads = 2, .flops = batch, .start = [] {
                     return std::make_unique<Prediction<Task, Net>>(2);
                   }});
  works.push_back({.name = "predict1/" + name, .flops = forward, .start = [] {
                     return std::make_unique<SinglePrediction<Task, Net>>();
                   }});
}

}  // namespace works
