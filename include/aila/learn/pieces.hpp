// The canonical array of parameters cut into pieces that one task of a training step works on.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

#include "../core/parameter.hpp"

namespace aila::inline v0::detail {

/// The range [begin, end) of the canonical array, whose parameters are updated alike.
struct Piece {
  std::size_t begin;
  std::size_t end;
  ParameterKind kind;
  double factor;         ///< of the learning rate
  bool decays;           ///< whether weights decay
  std::size_t part = 0;  ///< the piece of the packing that reads it

  bool is_like(const Piece& other) const {
    return std::tie(kind, factor, decays, part) == std::tie(other.kind, other.factor, other.decays, other.part);
  }
};

/// Tensors, whole ones, as pieces of at most `most` elements: part after part, in the order of the array. Neighbours
/// that are alike may share a piece.
inline std::vector<Piece> cut_pieces(std::vector<Piece> tensors, std::size_t most) {
  std::ranges::sort(tensors, {}, [](const Piece& p) { return std::tie(p.part, p.begin); });
  std::vector<Piece> pieces;
  for (const Piece& tensor : tensors)
    for (std::size_t at = tensor.begin; at < tensor.end;) {
      const bool joins = !pieces.empty() && pieces.back().end == at && pieces.back().is_like(tensor) &&
                         at - pieces.back().begin < most;
      if (!joins) {
        pieces.push_back(tensor);
        pieces.back().begin = at;
      }
      pieces.back().end = at = std::min(tensor.end, pieces.back().begin + most);
    }
  return pieces;
}

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
