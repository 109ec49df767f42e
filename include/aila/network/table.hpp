// Tables of rows beside the canonical array: their names, and the memory of one.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "../backend/kernel.hpp"
#include "../core/error.hpp"
#include "../core/initialise.hpp"
#include "../core/taking.hpp"
#include "walk.hpp"

namespace aila::inline v0 {

/// One table of a network.
struct TableInfo {
  std::string name;  ///< "embedding.weight"
  TableSpec spec{};
  std::size_t steps = 0;  ///< rows that one sample takes
};

namespace detail {
struct TableCollector {
  std::vector<TableInfo>& tables;
  template <class Part>
  void operator()(const std::string& path) const {
    if constexpr (requires { Part::Layer::template table<typename Part::In>(); }) {
      constexpr TableSpec spec = Part::Layer::template table<typename Part::In>();
      tables.push_back({(path.empty() ? std::string() : path + ".") + spec.name, spec, Part::In::positions});
    }
  }
};
}  // namespace detail

/// The tables of a network, in the order of its layers.
template <class Net>
const std::vector<TableInfo>& network_tables() {
  static const std::vector<TableInfo> tables = [] {
    std::vector<TableInfo> found;
    if constexpr (tables_of<Net, NetworkInput<Net>>() > 0) for_each_layer<Net>(detail::TableCollector{found});
    return found;
  }();
  return tables;
}

/// Rows of one width, each at 64 bytes; what is beyond the width is zero.
template <class Scalar>
class Table {
 public:
  Table() = default;
  explicit Table(const TableInfo& info) : info_(&info), stride_(round_up(info.spec.width, alignment_elements)) {}

  const TableInfo& info() const { return *info_; }
  std::size_t rows() const { return rows_; }
  std::size_t width() const { return info_->spec.width; }
  std::size_t stride() const { return stride_; }
  std::span<const Scalar> row(std::size_t r) const { return {values_.data() + r * stride_, width()}; }
  std::span<Scalar> row(std::size_t r) { return {values_.data() + r * stride_, width()}; }
  Scalar* data() { return values_.data(); }
  const Scalar* data() const { return values_.data(); }

  /// New rows by the layer's initialiser; a row's numbers depend on seed, name and its own number alone.
  /// Throws Error for more than the layer allows.
  void initialise(std::size_t rows, Seed seed) {
    resize(rows);
    auto all = detail::taking(info_->name.c_str(), rows, "rows", [&] { return std::vector<Scalar>(rows * width()); });
    aila::initialise(info_->spec.initial, rows, width(), seed, hash_path(info_->name), all.data());
    fill(all.data());
  }
  /// The rows [n, width]. Throws Error where `values` are no whole number of rows, or more than the layer allows.
  void assign(std::span<const Scalar> values) {
    if (values.size() % width() != 0)
      throw Error(info_->name + ": expected rows of " + std::to_string(width()) + " numbers, found " +
                  std::to_string(values.size()) + " numbers in all");
    resize(values.size() / width());
    fill(values.data());
  }
  TableRef ref() const { return {values_.data(), rows_}; }

 private:
  void resize(std::size_t rows) {
    if (rows > info_->spec.most_rows)
      throw Error(info_->name + ": expected at most " + std::to_string(info_->spec.most_rows) +
                  " rows (MostRows), found " + std::to_string(rows));
    values_ = detail::taking(info_->name.c_str(), rows, "rows", [&] {
      if (rows > static_cast<std::size_t>(PTRDIFF_MAX) / (2 * sizeof(Scalar) * stride_)) throw std::bad_alloc();
      return AlignedArray<Scalar>(rows * stride_ + 2 * alignment_elements);
    });
    rows_ = rows;
  }
  void fill(const Scalar* values) {
    for (std::size_t r = 0; r < rows_; ++r) std::copy_n(values + r * width(), width(), values_.data() + r * stride_);
  }

  const TableInfo* info_ = nullptr;
  std::size_t stride_ = 0;
  std::size_t rows_ = 0;
  AlignedArray<Scalar> values_;
};

}  // namespace aila::inline v0
