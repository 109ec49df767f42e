// All that a model holds: the tensors of the canonical array, and behind them the tables of rows.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "../compose/walk.hpp"
#include "../core/error.hpp"
#include "../core/finite.hpp"
#include "table.hpp"

namespace aila::inline v0 {

/// One tensor of a model with its numbers: rows of `width`, one every `stride`. A tensor of the canonical array is one
/// row; a table has extents [rows, width], and an offset as if all tables followed the array, packed.
template <class Scalar>
struct StoredTensor : ParameterInfo {
  const TableInfo* table = nullptr;  ///< null for a tensor of the canonical array
  const Scalar* data = nullptr;
  std::size_t rows = 0;
  std::size_t width = 0;
  std::size_t stride = 0;

  std::span<const Scalar> row(std::size_t r) const { return {data + r * stride, width}; }
  bool is_finite() const {
    for (std::size_t r = 0; r < rows; ++r)
      if (!detail::are_finite(row(r).data(), width)) return false;
    return true;
  }
};

/// All numbers of a model, to be kept and given back.
template <class Scalar>
struct ModelState {
  std::vector<Scalar> parameters{};  ///< the canonical array
  std::vector<Table<Scalar>> tables{};
};

namespace detail {

template <class Scalar>
std::vector<StoredTensor<Scalar>> stored_tensors(const std::vector<ParameterInfo>& infos,
                                                 std::span<const Scalar> parameters,
                                                 std::span<const Table<Scalar>> tables) {
  std::vector<StoredTensor<Scalar>> all;
  all.reserve(infos.size() + tables.size());
  for (const ParameterInfo& p : infos) all.push_back({p, nullptr, parameters.data() + p.offset, 1, p.size, p.size});
  std::size_t offset = parameters.size();
  for (const Table<Scalar>& t : tables) {
    const TableInfo& info = t.info();
    const ParameterInfo tensor{.name = info.name,
                               .extents = {t.rows(), t.width()},
                               .rank = 2,
                               .offset = offset,
                               .size = t.rows() * t.width(),
                               .initial = info.spec.initial,
                               .kind = info.spec.trainable ? ParameterKind::trainable : ParameterKind::frozen,
                               .decays = false};
    all.push_back({tensor, &info, t.data(), t.rows(), t.width(), t.stride()});
    offset += tensor.size;
  }
  return all;
}

/// The body of `restore` of a model and of AnyModel: nothing changes where anything does not fit.
template <class Model, class Scalar>
void restore(Model& model, std::span<Table<Scalar>> tables, ModelState<Scalar>&& state) {
  if (state.tables.size() != tables.size())
    throw_error("restore: expected the rows of ", tables.size(), " tables, found those of ", state.tables.size());
  for (std::size_t i = 0; i < tables.size(); ++i) tables[i].check(state.tables[i]);
  model.assign(state.parameters);
  for (std::size_t i = 0; i < tables.size(); ++i) tables[i].take(std::move(state.tables[i]));
}

}  // namespace detail

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
