// A table of rows beside the canonical array.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../backend/kernel.hpp"
#include "../backend/mirrored_array.hpp"
#include "../compose/walk.hpp"
#include "../core/error.hpp"
#include "../core/initialise.hpp"
#include "../core/no_memory.hpp"

namespace aila::inline v0 {

/// Rows of one width, each at 64 bytes; what is beyond the width is zero. Where the model's backend has memory of its
/// own, rows that were written are seen by the next call of the model, and spans are to be asked for again behind it.
template <class Scalar>
class Table {
 public:
  Table() = default;
  explicit Table(const TableInfo& info, detail::MakeDeviceArray<Scalar> make = nullptr)
      : info_(&info), stride_(round_up(info.spec.width, alignment_elements)), make_(make) {}

  const TableInfo& info() const { return *info_; }
  std::size_t rows() const { return rows_; }
  std::size_t width() const { return info_->spec.width; }
  std::size_t stride() const { return stride_; }
  std::span<const Scalar> row(std::size_t r) const { return {data() + r * stride_, width()}; }
  std::span<Scalar> row(std::size_t r) { return {data() + r * stride_, width()}; }
  Scalar* data() { return values_.host_to_write(); }
  const Scalar* data() const { return values_.host(); }
  /// For kernels.
  TableRef ref() const { return {values_.device(), rows_}; }
  Scalar* device_to_write() { return values_.device_to_write(); }

  /// New rows by the layer's initialiser; a row's numbers depend on seed, name and its own number alone.
  /// Throws Error for more than the layer allows, or than there is memory for.
  void initialise(std::size_t rows, Seed seed) {
    check_rows(rows);
    auto all = detail::taking(info_->name.c_str(), rows, "rows", [&] { return AlignedArray<Scalar>(rows * width()); });
    aila::initialise(info_->spec.initial, rows, width(), seed, hash_path(info_->name), all.data());
    assign({all.data(), all.size()});
  }
  /// The rows [n, width]. Throws Error where `values` are no whole number of rows, or more than the layer allows.
  void assign(std::span<const Scalar> values) {
    if (values.size() % width() != 0)
      throw_error(info_->name, ": expected rows of ", width(), " numbers, found ", values.size(), " numbers in all");
    const std::size_t rows = values.size() / width();
    check_rows(rows);
    auto made = detail::taking(info_->name.c_str(), rows, "rows",
                               [&] { return mirrored(rows * stride_ + 2 * alignment_elements); });
    Scalar* const all = made.host_to_write();
    for (std::size_t r = 0; r < rows; ++r) std::copy_n(values.data() + r * width(), width(), all + r * stride_);
    values_ = std::move(made);
    rows_ = rows;
  }
  /// Throws Error where this table cannot take the rows of another.
  void check(const Table& other) const {
    if (other.info_ == nullptr || other.width() != width())
      throw_error(info_->name, ": expected rows of ", width(), " numbers, found rows of ",
                  other.info_ == nullptr ? 0 : other.width());
    check_rows(other.rows_);
  }
  /// The rows of another table; throws as `check`.
  void take(Table other) {
    check(other);
    if (other.make_ == make_) {
      values_ = std::move(other.values_);
    } else {  // of a model on another backend
      MirroredArray<Scalar> made = mirrored(other.values_.size());
      std::copy_n(other.values_.host(), made.size(), made.host_to_write());
      values_ = std::move(made);
    }
    rows_ = other.rows_;
  }

 private:
  MirroredArray<Scalar> mirrored(std::size_t count) const {
    return MirroredArray<Scalar>(count, make_, info_->name.c_str());
  }
  void check_rows(std::size_t rows) const {
    if (rows > info_->spec.most_rows)
      throw_error(info_->name, ": expected at most ", info_->spec.most_rows, " rows (MostRows), found ", rows);
  }

  const TableInfo* info_ = nullptr;
  std::size_t stride_ = 0;
  std::size_t rows_ = 0;
  MirroredArray<Scalar> values_;
  detail::MakeDeviceArray<Scalar> make_ = nullptr;
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
