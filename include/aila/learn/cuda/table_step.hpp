// The training step of a table on a GPU: what a batch took from each row, summed in the order of samples and steps, and
// the optimiser on those rows alone.
#pragma once

#include "../../core/macros_aside.hpp"

#include <array>
#include <span>
#include <vector>

#include "../../backend/cuda/pinned_mirror.hpp"
#include "../../network/table.hpp"
#include "../optimiser.hpp"
#include "update.hpp"

namespace aila::inline v0::detail {

/// Takings (sample and step, and which row) are sorted by row, those of a row in their order: the same bits in every
/// run. Then a block of threads for each run of up to 32 takings of one row sums their gradients, and one for each row
/// what those come to. Memory for all takings of a batch is had once.
template <Optimiser Rule>
class CudaTableStep {
 public:
  using RuleOfElement = decltype(std::declval<const Rule&>().template rule<float>(OptimiserStep{}));

  CudaTableStep(const TableInfo& info, std::size_t samples, double factor)
      : factor_(info.spec.trainable ? factor : 0),
        width_(info.spec.width),
        stride_(round_up(info.spec.width, alignment_elements)),
        most_(samples * info.steps) {
    if (factor_ == 0) return;
    rows_ = cuda::Array<std::int32_t>(most_);
    values_ = cuda::Array<float>(most_ * stride_);
    sums_ = cuda::Array<float>(most_ * stride_);
    for (auto* ints : {&sorted_rows_, &order_, &sorted_order_}) *ints = cuda::Array<std::int32_t>(most_);
    norms_ = cuda::Array<double>(most_ + 1);
    sort_memory_ = cuda::Array<std::byte>(sort_bytes(most_));
    rule_ = cuda::PinnedMirror<RuleOfElement>(1);
  }

  bool is_trained() const { return factor_ != 0; }
  /// Room for the moments of the table's rows; those that were there before keep theirs.
  void prepare(const Table<float>& table, const cuda::Queue& queue) {
    if (factor_ == 0 || table_rows_ == table.rows()) return;
    for (auto& moment : moments_) {
      auto made = taking(table.info().name.c_str(), table.rows(), "rows to train",
                         [&] { return cuda::Array<float>(table.rows() * stride_); });
      if (moment.size() > 0)
        queue.copy(made.data(), moment.data(), std::min(moment.size(), made.size()) * sizeof(float),
                   cudaMemcpyDeviceToDevice);
      queue.wait();
      moment = std::move(made);
    }
    table_rows_ = table.rows();
  }
  void tell_rule(const Rule& optimiser, OptimiserStep step) {
    if (factor_ == 0) return;
    step.learning_rate *= factor_;
    step.decays = false;
    rule_.host()[0] = optimiser.template rule<float>(step);
  }
  /// Where kernels write: every step of every sample, with row -1 for those that took none.
  RowGradients open() {
    if (factor_ == 0) return {};
    return {rows_.data(), values_.data(), 0};
  }
  /// Sums what `count` takings brought; the squared norm of it all to `norm`.
  void sum(const cuda::Queue& queue, std::size_t count, double* norm);
  /// One update of the rows that were taken, unless the step is not finite.
  void update(const cuda::Queue& queue, Table<float>& table, const cuda::StepState* state);
  bool is_finite(const cuda::Queue& queue) const {
    if (factor_ == 0) return true;
    double norm = 0;
    queue.to_host(norms_.data(), 1, &norm);
    return norm - norm == 0;
  }

 private:
  static std::size_t sort_bytes(std::size_t most);

  double factor_;
  std::size_t width_, stride_, most_, table_rows_ = 0, count_ = 0;
  cuda::Array<std::int32_t> rows_, sorted_rows_, order_, sorted_order_;
  cuda::Array<float> values_, sums_;
  cuda::Array<double> norms_;
  cuda::Array<std::byte> sort_memory_;
  cuda::PinnedMirror<RuleOfElement> rule_;
  std::array<cuda::Array<float>, Rule::moments> moments_;
};

}  // namespace aila::inline v0::detail

#ifdef __CUDACC__
#include "table_kernels.cuh"
#endif

#include "../../core/macros_back.hpp"
