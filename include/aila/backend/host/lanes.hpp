// How a host backend holds the scalar-or-batch values of a body; each backend specialises Lanes.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstddef>

#include "../../core/config.hpp"

namespace aila::inline v0 {

/// V is the type of a body's values, count its number of lanes.
/// - load, store, load_first, store_first: consecutive elements; `first` touches only `count` of them.
/// - tile(scratch): scratch memory as values.
/// - load_rows(rows, valid, width, tile): tile[f] holds feature f of `count` rows; rows beyond `valid` repeat the last.
/// - load_rows_or_zero: the same, rows beyond `valid` are zero.
/// - store_rows, add_rows: back to the valid rows.
template <class Backend>
struct Lanes;

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
