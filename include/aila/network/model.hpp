// Model: the weights of a network on a backend.
#pragma once

#include <algorithm>
#include <span>

#include "../backend/cpu.hpp"
#include "../core/error.hpp"
#include "../core/initialise.hpp"
#include "walk.hpp"
#include "workspace.hpp"

namespace aila::inline v0 {

/// Parameters in one canonical array, and copies of them packed in the kernels' order. A const model may be shared by
/// any number of threads, each with its own Predictor or Workspace. Copying copies the weights.
template <class Net, HostBackend BackendType = backend::Cpu>
class Model {
 public:
  using Backend = BackendType;
  using Scalar = typename Backend::Scalar;
  using Placed = PlacedNetwork<Net>;
  using In = typename Placed::In;
  using Out = typename Placed::Out;
  using Kernel = KernelFor<Placed, Backend>;
  static constexpr const auto& layout = parameter_layout<Placed>;

  /// First weights by each tensor's initialiser; the same numbers on every platform.
  explicit Model(Seed seed = {}) : parameters_(layout.size + 2 * alignment_elements), packed_(packed_size()) {
    for (const ParameterInfo& p : parameter_table<Net>()) {
      const std::size_t rows = p.rank > 0 ? p.extents[0] : 1;
      aila::initialise(p.initial, rows, p.size / rows, seed, hash_path(p.name), parameters_.data() + p.offset);
    }
    pack();
  }

  /// The canonical array, gaps included: tensor `p` of parameter_table<Net>() has [p.offset, p.offset + p.size).
  std::span<const Scalar> parameters() const noexcept { return {parameters_.data(), layout.size}; }

  /// Copies all parameters from an array of the canonical layout, such as another model's; allocates nothing.
  void assign(std::span<const Scalar> parameters) {
    if (parameters.size() != layout.size)
      throw Error("assign: expected the " + std::to_string(layout.size) + " numbers of the network's canonical array, found " +
                  std::to_string(parameters.size()));
    std::copy(parameters.begin(), parameters.end(), parameters_.data());
    pack();
  }

  /// Calls f(std::span<Scalar>) with the canonical array, then packs again, also when f throws. Gaps must stay zero.
  template <class F>
  void edit(F&& f) {
    struct Packing {
      Model& model;
      ~Packing() { model.pack(); }
    } packing{*this};
    f(std::span<Scalar>(parameters_.data(), layout.size));
  }

  /// One tensor by name; throws Error where there is none.
  std::span<const Scalar> parameter(std::string_view name) const {
    for (const ParameterInfo& p : parameter_table<Net>())
      if (p.name == name) return {parameters_.data() + p.offset, p.size};
    throw Error("this network has no parameter " + std::string(name) + "; summary() lists those it has");
  }

  /// The packed copies, for kernels.
  const Scalar* packed() const noexcept { return packed_.data(); }

  /// workspace.output() for x [samples, In...]; any number of threads may call it, each with its own workspace.
  template <Capability C>
  void predict(const ElementOf<In, Scalar>* x, std::size_t samples, Workspace<Net, Backend, C>& workspace,
               const std::int32_t* lengths = nullptr) const noexcept {
    Pass pass;
    pass.samples = samples;
    pass.lengths = lengths;
    workspace.forward(pass, parameters_.data(), packed_.data(), x);
  }

 private:
  static constexpr std::size_t packed_size() { return Kernel::packed + 2 * alignment_elements; }
  void pack() { Kernel::pack(Weights<Scalar>(parameters_.data(), layout.offset.data()), packed_.data()); }

  AlignedArray<Scalar> parameters_;
  AlignedArray<Scalar> packed_;
};

}  // namespace aila::inline v0
