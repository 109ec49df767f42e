// Parameters for a check: the tensors of a layer or network, and around them numbers that nobody may rely on.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../compose/walk.hpp"
#include "poison.hpp"

namespace aila::inline v0::detail {

/// Normal numbers that depend on seed and name alone.
inline void draw_normal(Seed seed, std::string_view name, std::size_t count, double scale, double* to) {
  const Random random(seed, Purpose::user, 0, hash_path(name));
  for (std::size_t i = 0; i < count; ++i) to[i] = scale * random.normal(0, i);
}

/// Tensors where a table says. What lies in the gaps between them and behind the last is outside; a tensor of a number
/// that the table does not have lies there too.
class GuardedTensors {
 public:
  /// The tensors of `table` in the first `size` numbers; `reach` more are outside.
  GuardedTensors(const std::vector<ParameterInfo>& table, std::size_t size, std::size_t reach)
      : table_(table), size_(size), values_(size + round_up(reach, alignment_elements) + 2 * alignment_elements) {
    offsets_.reserve(table.size() + beyond);
    for (const ParameterInfo& p : table) offsets_.push_back(static_cast<std::uint32_t>(p.offset));
    offsets_.resize(table.size() + beyond, static_cast<std::uint32_t>(size));
  }

  /// Random numbers: first values could hide errors.
  void draw(Seed seed) {
    for (const ParameterInfo& p : table_) {
      const std::size_t fan_in = p.rank > 1 ? p.size / p.extents[0] : 1;
      double* const values = values_.data() + p.offset;
      draw_normal(seed, p.name, p.size, 1 / math::sqrt(static_cast<double>(fan_in)), values);
      if (p.kind == ParameterKind::buffer)  // statistics, of which some are variances
        std::transform(values, values + p.size, values, [](double v) { return 0.5 + std::abs(v); });
    }
  }
  void fill_outside(double value) {
    for_each_outside([&](std::size_t i) { values_.data()[i] = value; });
  }
  /// The first number outside that is not zero, or size() where all are.
  std::size_t find_outside(const double* values) const {
    std::size_t found = size();
    for_each_outside([&](std::size_t i) {
      if (values[i] != 0 && i < found) found = i;
    });
    return found;
  }
  /// "weight[3]", or where that is outside.
  std::string name(std::size_t i, std::string_view prefix) const {
    for (const ParameterInfo& p : table_)
      if (i >= p.offset && i < p.offset + round_up(p.size, alignment_elements)) {
        const std::string inside = p.name.starts_with(prefix) ? p.name.substr(prefix.size()) : p.name;
        return inside + "[" + std::to_string(i - p.offset) + "]";
      }
    return "a tensor beyond the last, of " + std::to_string(table_.size());
  }

  const std::vector<ParameterInfo>& table() const { return table_; }
  double* data() { return values_.data(); }
  const double* data() const { return values_.data(); }
  std::size_t size() const { return values_.size(); }
  Weights<double> weights() const { return {values_.data(), offsets_.data()}; }
  /// `values` null: nobody asks.
  Gradients<double> gradients(double* values) const { return {values, offsets_.data()}; }

 private:
  static constexpr std::size_t beyond = 64;  ///< numbers of tensors that the table does not have

  template <class F>
  void for_each_outside(F&& f) const {
    for (const ParameterInfo& p : table_)
      for (std::size_t i = p.offset + p.size; i < p.offset + round_up(p.size, alignment_elements); ++i) f(i);
    for (std::size_t i = size_; i < size(); ++i) f(i);
  }

  const std::vector<ParameterInfo>& table_;
  std::size_t size_;
  AlignedArray<double> values_;
  std::vector<std::uint32_t> offsets_;
};

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
