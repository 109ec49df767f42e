// Model: the weights of a network on a backend.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "../backend/cpu.hpp"
#include "../compose/walk.hpp"
#include "../core/error.hpp"
#include "../core/executor.hpp"
#include "../core/initialise.hpp"
#include "../core/lengths.hpp"
#include "input.hpp"
#include "stored.hpp"
#include "workspace.hpp"

namespace aila::inline v0 {

/// Parameters in one canonical array, and copies of them packed in the kernels' order. A const model may be shared by
/// any number of threads, each with its own Predictor or Workspace. Copying copies the weights, tables among them.
template <class Net, ComputeBackend BackendType = backend::Cpu>
class Model {
 public:
  using Backend = BackendType;
  using Scalar = typename Backend::Scalar;
  using Placed = typename detail::BoundNetwork<Net>::Bound;
  using In = typename Placed::In;
  using Out = typename Placed::Out;
  using Kernel = KernelFor<Placed, KernelsOf<Backend>>;
  enum { has_kernels = detail::RefusalOf<Kernel>::say() };
  static constexpr const auto& layout = parameter_layout<Placed>;

  /// Tables of rows beside the canonical array, such as those of an Embedding.
  static constexpr std::size_t tables = tables_of<Net, In>();

  /// First weights by each tensor's initialiser; the same numbers on every platform. `rows` are those of each table:
  /// until a table has some, every token gives zeros. Throws Error for more rows than a table may have, or another
  /// number of tables.
  explicit Model(Seed seed = {}, std::initializer_list<std::size_t> rows = {})
      : parameters_(layout.size + 2 * alignment_elements, detail::make_device_array<Scalar, Backend>()),
        packed_(detail::taking("model", packed_size(), "packed numbers",
                               [] { return ArrayOn<Scalar, Backend>(packed_size()); })) {
    Scalar* const all = parameters_.host_to_write();
    for (const ParameterInfo& p : parameter_table<Net>()) {
      const std::size_t outputs = p.rank > 1 ? p.extents[0] : 1;
      aila::initialise(p.initial, outputs, p.size / outputs, seed, hash_path(p.name), all + p.offset);
    }
    pack();
    for (std::size_t i = 0; i < tables; ++i)
      tables_[i] = Table<Scalar>(network_tables<Net>()[i], detail::make_device_array<Scalar, Backend>());
    if (rows.size() != 0 && rows.size() != tables)
      throw_error("model: expected the rows of ", tables, " tables, found ", rows.size(), " numbers");
    for (std::size_t i = 0; i < rows.size(); ++i) tables_[i].initialise(rows.begin()[i], seed);
  }

  /// The table of this name, "embedding.weight"; throws Error where there is none.
  Table<Scalar>& table(std::string_view name) {
    for (std::size_t i = 0; i < tables; ++i)
      if (tables_[i].info().name == name) return tables_[i];
    throw_error("this network has no table ", name);
  }
  const Table<Scalar>& table(std::string_view name) const { return const_cast<Model&>(*this).table(name); }
  /// All of them, in the order of the layers.
  std::span<Table<Scalar>> all_tables() noexcept { return {tables_.data(), tables}; }
  std::span<const Table<Scalar>> all_tables() const noexcept { return {tables_.data(), tables}; }
  /// For kernels: what a Pass points to.
  auto table_refs() const noexcept(shares_memory<Backend>) {
    std::array<TableRef, tables + 1> refs{};
    for (std::size_t i = 0; i < tables; ++i) refs[i] = tables_[i].ref();
    return refs;
  }

  /// The canonical array, gaps included: tensor `p` of parameter_table<Net>() has [p.offset, p.offset + p.size).
  /// Where the backend has memory of its own, a copy, good until the model changes.
  std::span<const Scalar> parameters() const noexcept(shares_memory<Backend>) {
    return {parameters_.host(), layout.size};
  }

  /// All that the model holds, in the order of parameter_table<Net>() and of the tables behind it: the one list by
  /// which models are saved, and looked through for numbers that are not finite.
  std::vector<StoredTensor<Scalar>> tensors() const {
    return detail::stored_tensors<Scalar>(parameter_table<Net>(), parameters(), all_tables());
  }
  /// As description_hash<Net>().
  static std::uint64_t description() { return description_hash<Net>(); }

  /// A copy of all that the model holds, for `restore`; in memory that is there, where `kept` has some.
  ModelState<Scalar> state() const {
    ModelState<Scalar> kept;
    keep(kept);
    return kept;
  }
  void keep(ModelState<Scalar>& kept) const {
    kept.parameters.assign(parameters().begin(), parameters().end());
    kept.tables.assign(all_tables().begin(), all_tables().end());
  }
  /// Gives the model all that another model of these tensors held; its tables may have other rows. Throws Error where
  /// the state does not fit; the model is then as it was.
  void restore(ModelState<Scalar> state) { detail::restore(*this, all_tables(), std::move(state)); }

  /// Copies the canonical array, such as another model's; allocates nothing. Tables stay: `restore(other.state())`, and
  /// copying a model, take them too.
  void assign(std::span<const Scalar> parameters) {
    if (parameters.size() != layout.size)
      throw_error("assign: expected the ", layout.size, " numbers of the network's canonical array, found ",
                  parameters.size());
    std::copy(parameters.begin(), parameters.end(), parameters_.host_to_write());
    pack();
  }

  /// Calls f(std::span<Scalar>) with the canonical array, then packs again, also when f throws. Gaps must stay zero.
  /// Rows of tables are not packed, and may be changed at any time: `table(name).row(r)`.
  template <class F>
  void edit(F&& f) {
    Inline alone;
    edit(ExecutorRef(alone), f);
  }
  /// The same, with an executor whose workers share the packing.
  template <class F>
  void edit(ExecutorRef executor, F&& f) {
    Repacking repacking{this};
    f(std::span<Scalar>(parameters_.host_to_write(), layout.size));
    const Weights<Scalar> all = weights();
    executor.run(pack_pieces, [&](std::size_t piece, std::size_t) { pack_piece(piece, all); });
    repacking.model = nullptr;
  }

  /// How many pieces the packing has. Each tensor is read by one of them.
  static constexpr std::size_t pack_pieces = pack_pieces_of<Kernel>();
  /// The piece that reads this tensor of parameter_table<Net>(), if any does; 0 where nothing is packed.
  static constexpr std::size_t pack_piece_of_tensor(std::size_t tensor) {
    std::size_t piece = pack_pieces > 0 ? pack_pieces - 1 : 0;
    while (piece > 0 && pack_piece_tensor_of<Kernel>(piece) > tensor) --piece;
    return piece;
  }
  /// The same where f works on the backend's memory, and packs: it is called with the canonical array and with
  /// pack(piece), to be called for each piece of whose tensors f changed any, after the last of those changes; by any
  /// threads, for one piece by one. Where f throws, all is packed again.
  template <class F>
  void edit_pieces(F&& f) {
    Repacking repacking{this};
    Scalar* const parameters = parameters_.device_to_write();
    const Weights<Scalar> all(parameters, layout.offset.data());
    f(std::span<Scalar>(parameters, layout.size), [this, all](std::size_t piece) { pack_piece(piece, all); });
    repacking.model = nullptr;
  }

  /// One tensor by name; throws Error where there is none.
  std::span<const Scalar> parameter(std::string_view name) const {
    for (const ParameterInfo& p : parameter_table<Net>())
      if (p.name == name) return parameters().subspan(p.offset, p.size);
    throw_error("this network has no parameter ", name, "; summary() lists those it has");
  }

  /// For kernels, in the backend's memory: the canonical array, and the packed copies.
  const Scalar* kernel_parameters() const noexcept(shares_memory<Backend>) { return parameters_.device(); }
  const Scalar* packed() const noexcept { return packed_.data(); }

  /// Outputs [samples, Out...] in the workspace for x [samples, In...], up to its capacity of samples; any number of
  /// threads may call it, each with its own workspace. x is a contiguous range of the network's elements, such as
  /// std::vector or a row-major Eigen map. Throws Error where it does not fit; allocates nothing.
  template <class X, Capability C>
  std::span<const Scalar> predict(const X& x, Workspace<Net, Backend, C>& workspace,
                                  std::span<const std::int32_t> lengths = {}) const {
    const auto elements = detail::elements_of<ElementOf<In, Scalar>, In>(x);
    const std::size_t samples = elements.size() / In::elements;
    if (samples * In::elements != elements.size() || samples > workspace.capacity())
      throw_error("predict: expected up to ", workspace.capacity(), " samples of ", In::elements, " elements, found ",
                  elements.size(), " elements");
    if (!lengths.empty()) detail::LengthRule<In>::check_count("predict", lengths.size(), samples);
    predict(elements.data(), samples, workspace, lengths.empty() ? nullptr : lengths.data());
    return {workspace.host_output(samples), samples * Out::elements};
  }

  /// The same of memory: workspace.host_output(samples) for x [samples, In...] and, unless null, lengths [samples].
  /// Throws Error for more samples than the workspace's capacity, and for lengths that are not from 1 to the steps
  /// there are.
  template <Capability C>
  void predict(const ElementOf<In, Scalar>* x, std::size_t samples, Workspace<Net, Backend, C>& workspace,
               const std::int32_t* lengths = nullptr) const {
    if (lengths != nullptr) detail::LengthRule<In>::check("predict", {lengths, samples}, samples);
    const std::int32_t* const taken = workspace.take_lengths(lengths, samples);
    predict_on_device(workspace.take_input(x, samples), samples, workspace, taken);
  }
  /// The same of the backend's memory, where lengths must be right: workspace.output().
  template <Capability C>
  void predict_on_device(const ElementOf<In, Scalar>* x, std::size_t samples, Workspace<Net, Backend, C>& workspace,
                         const std::int32_t* lengths = nullptr) const {
    Pass pass;
    pass.samples = samples;
    pass.lengths = lengths;
    workspace.on_its_device([&] {
      workspace.expect_here(kernel_parameters());
      const auto refs = table_refs();
      pass.tables = refs.data();
      workspace.forward(pass, kernel_parameters(), packed_.data(), x);
    });
  }

 private:
  /// Packs again where it ends before its model is taken from it: when an exception passes.
  struct Repacking {
    Model* model;
    ~Repacking() {
      if (model != nullptr) model->pack();
    }
  };
  static constexpr std::size_t packed_size() { return Kernel::packed + 2 * alignment_elements; }
  Weights<Scalar> weights() const { return Weights<Scalar>(kernel_parameters(), layout.offset.data()); }
  void pack() {
    const Weights<Scalar> all = weights();
    typename Backend::Queue{}.run([&] { Kernel::pack(all, packed_.data()); });
  }
  void pack_piece([[maybe_unused]] std::size_t piece, Weights<Scalar> all) {
    if constexpr (pack_pieces > 0)
      typename Backend::Queue{}.run([&] { aila::pack_piece_of<Kernel>(piece, all, packed_.data()); });
  }

  MirroredArray<Scalar> parameters_;
  ArrayOn<Scalar, Backend> packed_;
  std::vector<Table<Scalar>> tables_ = std::vector<Table<Scalar>>(tables);
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
