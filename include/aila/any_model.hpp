// AnyModel: one of many networks of equal input and output, chosen at run time; each compiled in its own unit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "learn/fit.hpp"
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
  virtual double evaluate(const Source& source) const = 0;
  /// [samples, Out...]
  virtual std::vector<Scalar> predict(const Source& source) const = 0;
  virtual std::vector<MixtureWeights> mixture_weights(std::span<const ElementOf<In, Scalar>> inputs) const = 0;

  virtual std::size_t parameter_count() const = 0;
  virtual std::string summary() const = 0;
  virtual std::string graph() const = 0;
  /// As of Model; `table` and `description` are what a file of weights is checked against.
  virtual std::span<const Scalar> parameters() const = 0;
  virtual void assign(std::span<const Scalar> parameters) = 0;
  virtual const std::vector<ParameterInfo>& table() const = 0;
  virtual std::uint64_t description() const = 0;
};

namespace detail {

template <class Net, class LossType, class Backend>
class ModelOf final : public AnyModel<NetworkInput<Net>, NetworkOutput<Net>, typename Backend::Scalar> {
  using Base = AnyModel<NetworkInput<Net>, NetworkOutput<Net>, typename Backend::Scalar>;

 public:
  using typename Base::Options;
  using typename Base::Scalar;
  using typename Base::Source;
  explicit ModelOf(Seed seed) : model_(seed) {}

  History fit(const Source& train, const Adam& optimiser, const Options& options) override {
    return aila::fit(model_, train, LossType{}, optimiser, options);
  }
  double evaluate(const Source& source) const override { return aila::evaluate(model_, source, LossType{}); }
  std::vector<Scalar> predict(const Source& source) const override { return aila::predict(model_, source); }
  std::vector<MixtureWeights> mixture_weights(
      std::span<const ElementOf<NetworkInput<Net>, Scalar>> inputs) const override {
    return aila::mixture_weights(model_, inputs);
  }
  std::size_t parameter_count() const override { return aila::parameter_count<Net>; }
  std::string summary() const override { return aila::summary<Net, Backend>(); }
  std::string graph() const override { return aila::graph<Net>(); }
  std::span<const Scalar> parameters() const override { return model_.parameters(); }
  void assign(std::span<const Scalar> parameters) override { model_.assign(parameters); }
  const std::vector<ParameterInfo>& table() const override { return parameter_table<Net>(); }
  std::uint64_t description() const override { return description_hash<Net>(); }

 private:
  Model<Net, Backend> model_;
};

}  // namespace detail

/// The unit in which all code of one network is compiled: `aila_add_network(target TYPE Net HEADER net.hpp)` makes it,
/// and the header that defines Net says `extern template struct aila::NetworkUnit<Net>;`.
template <class Net, class LossType = MeanSquaredError, class Backend = backend::Cpu>
struct NetworkUnit {
  using Any = AnyModel<NetworkInput<Net>, NetworkOutput<Net>, typename Backend::Scalar>;
  static std::unique_ptr<Any> make(Seed seed);
};

template <class Net, class LossType, class Backend>
std::unique_ptr<typename NetworkUnit<Net, LossType, Backend>::Any> NetworkUnit<Net, LossType, Backend>::make(
    Seed seed) {
  return std::make_unique<detail::ModelOf<Net, LossType, Backend>>(seed);
}

}  // namespace aila::inline v0
