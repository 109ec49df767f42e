// The table of networks: from a policy's name and a window to a model.
#include "forecaster.hpp"

#include <aila/io/model_file.hpp>
#include <algorithm>

#include "networks.hpp"

// The lines of networks.def that CMakeLists.txt compiles.
#if !defined(AILA_FORECAST_NETWORKS)
#define AILA_FORECAST_NETWORKS "networks.def"
#endif

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

using Make = std::unique_ptr<Forecaster> (*)(aila::Seed, example::Device);

template <class Net, std::size_t Window>
std::unique_ptr<Forecaster> make(aila::Seed seed, example::Device device) {
  return std::make_unique<ForecasterOf<Window>>(example::make_model<Net>(device, seed));
}

struct Entry {
  std::string name;
  std::size_t window;
  Make make;
  bool stack;  ///< under a policy; otherwise a published network
};

const std::vector<Entry>& entries() {
#define POLICY(name, window, ...) {name, window, make<__VA_ARGS__, window>, true},
#define NETWORK(name, window, ...) {name, window, make<__VA_ARGS__, window>, false},
  static const std::vector<Entry> table{
#include AILA_FORECAST_NETWORKS
  };
#undef POLICY
#undef NETWORK
  return table;
}

std::vector<std::string> names_of(bool stacks) {
  std::vector<std::string> names;
  for (const auto& e : entries())
    if (e.stack == stacks && std::ranges::find(names, e.name) == names.end()) names.push_back(e.name);
  return names;
}

}  // namespace

const std::vector<std::string>& policy_names() {
  static const std::vector<std::string> names = names_of(true);
  return names;
}
const std::vector<std::string>& network_names() {
  static const std::vector<std::string> names = names_of(false);
  return names;
}

std::unique_ptr<Forecaster> make_forecaster(const std::string& name, std::size_t window, aila::Seed seed,
                                            example::Device device) {
  for (const auto& e : entries())
    if (e.name == name && e.window == window) return e.make(seed, device);
  throw aila::Error("this program was compiled without the network " + name + " for windows of " +
                    std::to_string(window) + " months");
}

}  // namespace forecast
