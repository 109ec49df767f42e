// The table of networks: from a policy's name and a window to a model.
#include "forecaster.hpp"

#include <aila/io/parameter_file.hpp>

#include "networks.hpp"

namespace forecast {
namespace {

using aila::data::WindowedPart;

template <std::size_t Window>
class ForecasterOf final : public Forecaster {
 public:
  using In = aila::Sequence<Window, 1>;
  using Any = aila::AnyModel<In, aila::Vector<1>>;

  explicit ForecasterOf(std::unique_ptr<Any> model) : model_(std::move(model)) {}

  aila::History fit(const WindowedPart& train, const WindowedPart& valid, const Training& training) override {
    typename Any::Options options;
    options.validation = samples(valid);
    options.epochs = training.epochs;
    options.batch = training.batch;
    options.patience = training.patience;
    options.seed = training.seed;
    options.schedule = aila::schedule::constant().with_warm_up(training.warm_up_epochs *
                                                               ((train.count + training.batch - 1) / training.batch));
    options.on_progress = training.on_progress;
    options.cancel = training.cancel;
    return model_->fit(samples(train), aila::Adam{.learning_rate = 1e-3}, options);
  }
  double loss(const WindowedPart& part) const override { return model_->evaluate(samples(part)); }
  std::vector<float> predict(std::span<const float> inputs) const override {
    return model_->predict(aila::SamplesView<In>(inputs, {}));
  }
  example::Mixture mixture(std::span<const float> inputs) const override { return model_->mixture_weights(inputs); }
  std::size_t parameter_count() const override { return model_->parameter_count(); }

  void save(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata) const override {
    aila::io::save_parameters(path, model_->table(), model_->description(), model_->parameters(), metadata);
  }
  void load(const std::filesystem::path& path) override {
    model_->assign(
        aila::io::load_parameters<float>(path, model_->table(), model_->description(), model_->parameters().size()));
  }

 private:
  static aila::SamplesView<In> samples(const WindowedPart& part) { return {part.inputs, part.targets}; }

  std::unique_ptr<Any> model_;
};

using Make = std::unique_ptr<Forecaster> (*)(aila::Seed);

template <class Policy, std::size_t Window>
std::unique_ptr<Forecaster> make(aila::Seed seed) {
  return std::make_unique<ForecasterOf<Window>>(aila::NetworkUnit<Net<Policy, Window>>::make(seed));
}

/// A policy, with its maker for each of `windows`.
struct Entry {
  std::string policy;
  std::array<Make, windows.size()> makers;
};

template <class Policy>
Entry entry(const char* policy) {
  return {policy, {make<Policy, windows[0]>, make<Policy, windows[1]>}};
}

const std::array<Entry, 5>& entries() {
  static const std::array<Entry, 5> table{entry<None>("none"), entry<Residual>("residual"), entry<DenseNet>("densenet"),
                                          entry<Linear>("linear"), entry<Attention>("attention")};
  return table;
}

}  // namespace

const std::vector<std::string>& policy_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& e : entries()) all.push_back(e.policy);
    return all;
  }();
  return names;
}

std::unique_ptr<Forecaster> make_forecaster(const std::string& policy, std::size_t window, aila::Seed seed) {
  for (const auto& e : entries())
    if (e.policy == policy)
      for (std::size_t i = 0; i < windows.size(); ++i)
        if (windows[i] == window) return e.makers[i](seed);
  throw aila::Error("there is no network of the policy " + policy + " for windows of " + std::to_string(window) +
                    " months");
}

}  // namespace forecast
