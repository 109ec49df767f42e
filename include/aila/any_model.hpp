// AnyModel: one of many networks of equal input and output, chosen at run time; each compiled in its own unit.
#pragma once

#include "core/macros_aside.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "learn/fit.hpp"
#include "network/explain.hpp"
#include "network/graph.hpp"
#include "network/inspect.hpp"
#include "network/summary.hpp"

namespace aila::inline v0 {

/// What a program needs of a model whose type it does not know. In and Out are shapes.
template <class In, class Out, class ScalarType = float>
class AnyModel {
 public:
  using Scalar = ScalarType;
  using Source = SourceRef<In, Scalar>;
  using Options = FitOptions<In, Scalar>;

  AnyModel() = default;
  AnyModel(const AnyModel&) = delete;
  AnyModel& operator=(const AnyModel&) = delete;
  virtual ~AnyModel() = default;

  virtual History fit(const Source& train, const Adam& optimiser, const Options& options) = 0;
  virtual History fit(const Source& train, const AdamW& optimiser, const Options& options) = 0;
  virtual double evaluate(const Source& source, ExecutorRef executor) const = 0;
  /// [samples, Out...]
  virtual std::vector<Scalar> predict(const Source& source, ExecutorRef executor) const = 0;
  double evaluate(const Source& source) const {
    Inline executor;
    return evaluate(source, executor);
  }
  std::vector<Scalar> predict(const Source& source) const {
    Inline executor;
    return predict(source, executor);
  }
  virtual std::vector<MixtureWeights> mixture_weights(std::span<const ElementOf<In, Scalar>> inputs,
                                                      std::span<const std::int32_t> lengths = {}) const = 0;
  /// Of output number `output`; networks of tokens have none, and throw Error.
  virtual std::vector<Scalar> input_gradients(std::span<const ElementOf<In, Scalar>> inputs, std::size_t output = 0,
                                              std::span<const std::int32_t> lengths = {}) const = 0;
  virtual std::vector<LayerMap<Scalar>> layer_maps(std::span<const ElementOf<In, Scalar>> inputs,
                                                   std::string_view suffix,
                                                   std::span<const std::int32_t> lengths = {}) const = 0;

  /// As parameter_count<Net>, and the numbers of all rows that the tables have now.
  virtual std::size_t parameter_count() const = 0;
  virtual std::size_t flops() const = 0;
  virtual std::string summary() const = 0;
  virtual std::string graph() const = 0;
  /// As of Model: the canonical array alone; `table` lists its tensors.
  virtual std::span<const Scalar> parameters() const = 0;
  virtual void assign(std::span<const Scalar> parameters) = 0;
  virtual const std::vector<ParameterInfo>& table() const = 0;
  /// Tables of rows beside the canonical array, such as an Embedding's.
  virtual std::span<Table<Scalar>> tables() = 0;
  std::span<const Table<Scalar>> tables() const { return const_cast<AnyModel&>(*this).tables(); }
  virtual std::uint64_t description() const = 0;

  /// All that the model holds, kept and given back; as of Model. io::save and io::load take an AnyModel too.
  std::vector<StoredTensor<Scalar>> tensors() const {
    return detail::stored_tensors<Scalar>(table(), parameters(), tables());
  }
  ModelState<Scalar> state() const {
    return {{parameters().begin(), parameters().end()}, {tables().begin(), tables().end()}};
  }
  void restore(ModelState<Scalar> state) { detail::restore(*this, tables(), std::move(state)); }
};

namespace detail {

template <class Net, class LossType, class Backend>
class ModelOf final : public AnyModel<NetworkInput<Net>, NetworkOutput<Net>, typename Backend::Scalar> {
  using Base = AnyModel<NetworkInput<Net>, NetworkOutput<Net>, typename Backend::Scalar>;

 public:
  using typename Base::Options;
  using typename Base::Scalar;
  using typename Base::Source;
  ModelOf(Seed seed, const LossType& loss) : model_(seed), loss_(loss) {}

  History fit(const Source& train, const Adam& optimiser, const Options& options) override {
    return aila::fit(model_, train, loss_, optimiser, options);
  }
  History fit(const Source& train, const AdamW& optimiser, const Options& options) override {
    return aila::fit(model_, train, loss_, optimiser, options);
  }
  double evaluate(const Source& source, ExecutorRef executor) const override {
    return aila::evaluate(model_, source, loss_, executor);
  }
  std::vector<Scalar> predict(const Source& source, ExecutorRef executor) const override {
    return aila::predict(model_, source, executor);
  }
  std::vector<MixtureWeights> mixture_weights(std::span<const ElementOf<NetworkInput<Net>, Scalar>> inputs,
                                              std::span<const std::int32_t> lengths) const override {
    return aila::mixture_weights(model_, inputs, lengths);
  }
  std::vector<Scalar> input_gradients([[maybe_unused]] std::span<const ElementOf<NetworkInput<Net>, Scalar>> inputs,
                                      [[maybe_unused]] std::size_t output,
                                      [[maybe_unused]] std::span<const std::int32_t> lengths) const override {
    if constexpr (NetworkInput<Net>::is_tokens)
      throw_error("input_gradients: expected a network of real numbers, this one takes tokens");
    else
      return aila::input_gradients(model_, inputs, output, lengths);
  }
  std::vector<LayerMap<Scalar>> layer_maps(std::span<const ElementOf<NetworkInput<Net>, Scalar>> inputs,
                                           std::string_view suffix,
                                           std::span<const std::int32_t> lengths) const override {
    return aila::layer_maps(model_, inputs, suffix, lengths);
  }
  std::size_t parameter_count() const override {
    std::size_t numbers = aila::parameter_count<Net>;
    for (const Table<Scalar>& t : model_.all_tables()) numbers += t.rows() * t.width();
    return numbers;
  }
  std::size_t flops() const override { return aila::flops<Net>; }
  std::string summary() const override { return aila::summary<Net, Backend>(); }
  std::string graph() const override { return aila::graph<Net>(); }
  std::span<const Scalar> parameters() const override { return model_.parameters(); }
  void assign(std::span<const Scalar> parameters) override { model_.assign(parameters); }
  std::span<Table<Scalar>> tables() override { return model_.all_tables(); }
  const std::vector<ParameterInfo>& table() const override { return parameter_table<Net>(); }
  std::uint64_t description() const override { return description_hash<Net>(); }

 private:
  Model<Net, Backend> model_;
  LossType loss_;
};

}  // namespace detail

/// The unit in which all code of one network is compiled: `aila_add_network(target TYPE Net HEADER net.hpp)` makes it,
/// and the header that defines Net says `extern template struct aila::NetworkUnit<Net>;`.
template <class Net, class LossType = MeanSquaredError, class Backend = backend::Cpu>
struct NetworkUnit {
  using Any = AnyModel<NetworkInput<Net>, NetworkOutput<Net>, typename Backend::Scalar>;
  static std::unique_ptr<Any> make(Seed seed);
  /// The same with a loss that has options.
  static std::unique_ptr<Any> make_with(Seed seed, const LossType& loss);
};

template <class Net, class LossType, class Backend>
std::unique_ptr<typename NetworkUnit<Net, LossType, Backend>::Any> NetworkUnit<Net, LossType, Backend>::make(
    Seed seed) {
  return make_with(seed, {});
}

template <class Net, class LossType, class Backend>
std::unique_ptr<typename NetworkUnit<Net, LossType, Backend>::Any> NetworkUnit<Net, LossType, Backend>::make_with(
    Seed seed, const LossType& loss) {
  return std::make_unique<detail::ModelOf<Net, LossType, Backend>>(seed, loss);
}

}  // namespace aila::inline v0

#include "core/macros_back.hpp"
