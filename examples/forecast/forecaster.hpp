// A forecaster: one network, of any policy and window, behind one interface.
#pragma once

#include <aila/core/random.hpp>
#include <aila/data/windows.hpp>
#include <aila/learn/history.hpp>
#include <aila/learn/progress.hpp>
#include <array>
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "../common/device.hpp"
#include "../common/mixture.hpp"

namespace forecast {

/// Shapes are known when the program is compiled; these are the windows, in months, that it was compiled for.
inline constexpr std::array<std::size_t, 2> windows{12, 24};

/// How to train: Adam at 1e-3 on the mean squared error, the weights of the best validation epoch kept.
struct Training {
  std::size_t epochs = 0;
  std::size_t batch = 0;
  std::size_t warm_up_epochs = 0;
  std::size_t patience = 0;
  aila::Seed seed{};
  const std::atomic<bool>* cancel = nullptr;
  std::function<void(const aila::Progress&)> on_progress;
};

class Forecaster {
 public:
  Forecaster() = default;
  Forecaster(const Forecaster&) = delete;
  Forecaster& operator=(const Forecaster&) = delete;
  virtual ~Forecaster() = default;

  virtual aila::History fit(const aila::data::WindowedPart& train, const aila::data::WindowedPart& valid,
                            const Training& training) = 0;
  virtual double loss(const aila::data::WindowedPart& part) const = 0;
  /// One output a window; inputs [N, window, 1].
  virtual std::vector<float> predict(std::span<const float> inputs) const = 0;
  /// Mean integration weights; empty under a policy without weights.
  virtual example::Mixture mixture(std::span<const float> inputs) const = 0;
  virtual std::size_t parameter_count() const = 0;
  virtual void save(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata) const = 0;
  virtual void load(const std::filesystem::path& path) = 0;
};

/// In the order of the report: the policies of the stack, and published networks, which have none.
const std::vector<std::string>& policy_names();
const std::vector<std::string>& network_names();

/// The stack of this policy, or the published network of this name. Throws aila::Error for a name or a window that the
/// program has not.
std::unique_ptr<Forecaster> make_forecaster(const std::string& name, std::size_t window, aila::Seed seed,
                                            example::Device device);

}  // namespace forecast
