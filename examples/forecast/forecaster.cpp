// The table of networks: from a policy's name and a window to a model.
#include "forecaster.hpp"

#include <aila/io/model_file.hpp>

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
    aila::io::save(*model_, path, metadata);
  }
  void load(const std::filesystem::path& path) override { aila::io::load(*model_, path); }

 private:
  static aila::SamplesView<In> samples(const WindowedPart& part) { return {part.inputs, part.targets}; }

  std::unique_ptr<Any> model_;
};

using Make = std::unique_ptr<Forecaster> (*)(aila::Seed);

template <class Net, std::size_t Window>
std::unique_ptr<Forecaster> make(aila::Seed seed) {
  return std::make_unique<ForecasterOf<Window>>(aila::NetworkUnit<Net>::make(seed));
}

/// A name, with the makers of its network for each of `windows`.
struct Entry {
  std::string name;
  std::array<Make, windows.size()> makers;
};
using Entries = std::vector<Entry>;

template <template <std::size_t> class Network>
Entry entry(const char* name) {
  return {name, {make<Network<windows[0]>, windows[0]>, make<Network<windows[1]>, windows[1]>}};
}
template <class Policy>
struct Under {
  template <std::size_t Window>
  using Stack = Net<Policy, Window>;
};

const Entries& stacks() {
  static const Entries table{entry<Under<None>::Stack>("none"), entry<Under<Residual>::Stack>("residual"),
                             entry<Under<DenseNet>::Stack>("densenet"), entry<Under<Linear>::Stack>("linear"),
                             entry<Under<Attention>::Stack>("attention")};
  return table;
}
const Entries& published() {
  static const Entries table{entry<Lstm2>("lstm"), entry<AttentionLstm>("attention-lstm"),
                             entry<Transformer>("transformer"), entry<Cnn>("cnn")};
  return table;
}

std::vector<std::string> names_of(const Entries& entries) {
  std::vector<std::string> names;
  for (const auto& e : entries) names.push_back(e.name);
  return names;
}

}  // namespace

const std::vector<std::string>& policy_names() {
  static const std::vector<std::string> names = names_of(stacks());
  return names;
}
const std::vector<std::string>& network_names() {
  static const std::vector<std::string> names = names_of(published());
  return names;
}

std::unique_ptr<Forecaster> make_forecaster(const std::string& name, std::size_t window, aila::Seed seed) {
  for (const Entries* entries : {&stacks(), &published()})
    for (const auto& e : *entries)
      if (e.name == name)
        for (std::size_t i = 0; i < windows.size(); ++i)
          if (windows[i] == window) return e.makers[i](seed);
  throw aila::Error("there is no network " + name + " for windows of " + std::to_string(window) + " months");
}

}  // namespace forecast
