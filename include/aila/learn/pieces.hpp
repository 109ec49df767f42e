// The canonical array of parameters cut into pieces that one task of a training step works on: what of it is summed,
// and what changes.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "../compose/walk.hpp"
#include "../core/arena.hpp"
#include "training.hpp"

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

/// What a training does with each tensor of a network.
struct TrainingPieces {
  std::vector<Piece> summed;                  ///< what is trained
  std::vector<Piece> changed;                 ///< what is trained and statistics, each in one part of the packing
  std::vector<Piece> held;                    ///< what a part rate of 0 holds
  std::vector<std::size_t> in_part;           ///< how many of `changed` are in each part of the packing
  std::vector<std::uint32_t> frozen_offsets;  ///< of tensors that a part rate of 0 holds, ascending

  /// part_of_tensor(i) is the piece of the packing that reads tensor i, one of `parts`.
  static TrainingPieces of(const std::vector<ParameterInfo>& table, std::size_t parts,
                           std::size_t (*part_of_tensor)(std::size_t), const TrainerOptions& options) {
    constexpr std::size_t most = 8192;
    TrainingPieces all;
    std::vector<Piece> trained, changed;
    std::size_t tensor = 0;
    for (const ParameterInfo& p : table) {
      const double factor = options.factor_of(p.name);
      Piece piece{.begin = p.offset,
                  .end = p.offset + round_up(p.size, alignment_elements),
                  .kind = p.kind,
                  .factor = p.kind == ParameterKind::trainable ? factor : 1,
                  .decays = p.decays};
      if (factor == 0 && p.size > 0) {
        all.frozen_offsets.push_back(static_cast<std::uint32_t>(p.offset));
        if (p.kind != ParameterKind::frozen) all.held.push_back(piece);
      }
      const bool is_trained = p.kind == ParameterKind::trainable && piece.factor != 0;
      if (is_trained) trained.push_back(piece);
      piece.part = part_of_tensor(tensor++);
      if (is_trained || (p.kind == ParameterKind::buffer && factor != 0)) changed.push_back(piece);
    }
    std::ranges::sort(all.frozen_offsets);
    all.summed = cut_pieces(std::move(trained), most);
    all.changed = cut_pieces(std::move(changed), most);
    all.in_part.resize(std::max<std::size_t>(parts, 1));
    for (const Piece& piece : all.changed) ++all.in_part[piece.part];
    return all;
  }
};

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
