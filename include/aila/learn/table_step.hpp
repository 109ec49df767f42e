// The training step of a table: gradients of the rows that a batch took, summed, and the optimiser on those rows alone.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "../backend/host/lanes.hpp"
#include "../core/executor.hpp"
#include "../core/finite.hpp"
#include "../network/table.hpp"
#include "optimisers.hpp"

namespace aila::inline v0::detail {

/// What the groups of a batch took from one table, and the optimiser's moments. A row's gradient is the sum over its
/// takers in the order of samples and steps: the same bits for any number of threads. Cost: three passes over what was
/// taken. Allocates nothing after construction, unless the table has got more rows.
template <class Backend, Optimiser Rule>
class TableStep {
 public:
  using Scalar = typename Backend::Scalar;
  using Lane = Lanes<KernelsOf<Backend>>;

  /// For groups of up to `samples` samples; a factor of 0 freezes the table.
  TableStep(const TableInfo& info, std::size_t groups, std::size_t samples, double factor)
      : factor_(info.spec.trainable ? factor : 0), stride_(round_up(info.spec.width, alignment_elements)) {
    if (factor_ == 0) return;
    const std::size_t most = samples * info.steps;
    for (std::size_t g = 0; g < groups; ++g) {
      rows_.emplace_back(most);
      values_.emplace_back(most * stride_);
    }
    slots_.resize(groups * most);
    touched_.reserve(groups * most);
    sums_ = ArrayOn<Scalar, Backend>(groups * most * stride_);
    norms_.resize(blocks());
    taken_.resize(groups);
  }

  /// Makes room for the table's rows; those that were there before keep their moments. To be called before each step.
  void prepare(const Table<Scalar>& table) {
    if (factor_ == 0 || slot_of_row_.size() == table.rows()) return;
    for (auto& moment : moments_) {
      ArrayOn<Scalar, Backend> made(table.rows() * stride_);
      queue_.run([&] { std::copy_n(moment.data(), std::min(moment.size(), made.size()), made.data()); });
      moment = std::move(made);
    }
    slot_of_row_.assign(table.rows(), -1);
  }
  /// Where group g's kernels write.
  RowGradients open(std::size_t g) {
    if (factor_ == 0) return {};
    return {rows_[g].data(), values_[g].data(), 0};
  }
  bool is_trained() const { return factor_ != 0; }
  void close(std::size_t g, const RowGradients& taken) {
    if (factor_ != 0) taken_[g] = taken.count;
  }

  /// Sums what the groups took; the squared norm of the gradient.
  double sum(std::size_t groups, ExecutorRef executor) {
    if (factor_ == 0) return 0;
    touched_.clear();
    std::size_t entry = 0;
    for (std::size_t g = 0; g < groups; ++g)
      for (std::size_t i = 0; i < taken_[g]; ++i, ++entry) {
        std::int32_t& slot = slot_of_row_[static_cast<std::size_t>(rows_[g].data()[i])];
        if (slot < 0) {
          slot = static_cast<std::int32_t>(touched_.size());
          touched_.push_back(rows_[g].data()[i]);
        }
        slots_[entry] = slot;
      }
    for (const std::int32_t row : touched_) slot_of_row_[static_cast<std::size_t>(row)] = -1;
    executor.run(blocks(), [&](std::size_t block, std::size_t) {
      [[maybe_unused]] const typename KernelsOf<Backend>::FloatMode mode;
      norms_[block] = sum_block(groups, block * alignment_elements);
    });
    double squares = 0;
    for (const double s : norms_) squares += s;
    return squares;
  }

  /// Whether the gradient of the last step is finite.
  bool is_finite() const {
    if (factor_ == 0) return true;
    return are_finite(sums_.data(), touched_.size() * stride_);
  }

  /// One update of the rows that were taken.
  void update(Table<Scalar>& table, const Rule& optimiser, OptimiserStep step, ExecutorRef executor) {
    if (factor_ == 0) return;
    Scalar* const rows = table.device_to_write();
    step.learning_rate *= factor_;
    step.decays = false;
    constexpr std::size_t chunk = 64;
    executor.run((touched_.size() + chunk - 1) / chunk, [&](std::size_t c, std::size_t) {
      [[maybe_unused]] const typename KernelsOf<Backend>::FloatMode mode;
      for (std::size_t k = c * chunk; k < std::min(touched_.size(), (c + 1) * chunk); ++k) {
        const std::size_t at = static_cast<std::size_t>(touched_[k]) * stride_;
        std::array<Scalar*, Rule::moments> state{};
        for (std::size_t m = 0; m < state.size(); ++m) state[m] = moments_[m].data() + at;
        aila::update<typename Lane::V>(optimiser, step, std::span<Scalar>(rows + at, stride_),
                                       std::span<const Scalar>(sums_.data() + k * stride_, stride_), state);
      }
    });
  }

 private:
  std::size_t blocks() const { return stride_ / alignment_elements; }

  /// The sums of alignment_elements columns, and their squares.
  double sum_block(std::size_t groups, std::size_t column) {
    for (std::size_t k = 0; k < touched_.size(); ++k)
      std::fill_n(sums_.data() + k * stride_ + column, alignment_elements, Scalar(0));
    std::size_t entry = 0;
    for (std::size_t g = 0; g < groups; ++g)
      for (std::size_t i = 0; i < taken_[g]; ++i, ++entry) {
        Scalar* const sum = sums_.data() + static_cast<std::size_t>(slots_[entry]) * stride_ + column;
        const Scalar* const value = values_[g].data() + i * stride_ + column;
        for (std::size_t e = 0; e < alignment_elements; e += Lane::count)
          Lane::store(sum + e, Lane::load(sum + e) + Lane::load(value + e));
      }
    double squares = 0;
    for (std::size_t k = 0; k < touched_.size(); ++k)
      for (std::size_t e = 0; e < alignment_elements; ++e) {
        const auto v = static_cast<double>(sums_.data()[k * stride_ + column + e]);
        squares += v * v;
      }
    return squares;
  }

  double factor_;
  std::size_t stride_;
  std::vector<ArrayOn<std::int32_t, Backend>> rows_;  ///< that each group took
  std::vector<ArrayOn<Scalar, Backend>> values_;      ///< with these gradients; beyond the width zero
  std::vector<std::size_t> taken_;
  std::vector<std::int32_t> slots_;    ///< of each taking: its row's place in touched_
  std::vector<std::int32_t> touched_;  ///< rows, each once, in the order of their first taking
  std::vector<std::int32_t> slot_of_row_;
  ArrayOn<Scalar, Backend> sums_;  ///< [touched, stride]
  std::array<ArrayOn<Scalar, Backend>, Rule::moments> moments_;
  std::vector<double> norms_;
  [[no_unique_address]] typename Backend::Queue queue_;
};

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
