// Texts as samples of a network: as numbers of tokens, or as the words' vectors.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../core/shape.hpp"
#include "../learn/source.hpp"
#include "text_set.hpp"
#include "word_vectors.hpp"

namespace aila::inline v0::data {

/// Which tokens of a text that is longer than the network's input are read.
enum class Keep { first, last };

/// A SampleSource of the texts `rows` of a set: the first or last In::extents[0] tokens, with their number as length
/// and the class as target. Where In is Tokens<T> the input is the tokens' numbers, 0 behind the last; where it is
/// Sequence<T, D>, their vectors, zero behind the last. Set and vectors must outlive it.
template <AnyShape In, class Scalar = float>
  requires(In::is_tokens || In::rank == 2)
class TextSource {
 public:
  static constexpr std::size_t steps = In::extents[0];

  TextSource(const TextSet& texts, std::vector<std::size_t> rows, Keep keep = Keep::first)
    requires(In::is_tokens)
      : texts_(&texts), rows_(std::move(rows)), keep_(keep) {
    view().check();
  }
  /// Throws Error for a set whose sizes do not fit, rows that it does not have, vectors of another dimension than In's,
  /// and a vocabulary that was another one when the vectors were read.
  TextSource(const TextSet& texts, const WordVectors& vectors, std::vector<std::size_t> rows, Keep keep = Keep::first)
    requires(!In::is_tokens)
      : texts_(&texts), vectors_(&vectors), rows_(std::move(rows)), keep_(keep) {
    if (vectors.dimension != In::features)
      throw_error("texts: the network takes vectors of ", In::features, " numbers, found ", vectors.dimension);
    if (vectors.words > vectors.values.size() || vectors.values.size() != vectors.words * vectors.dimension)
      throw_error("texts: expected ", vectors.words, " vectors of ", vectors.dimension, " numbers, found ",
                  vectors.values.size(), " numbers in all");
    view().check();
  }

  std::size_t size() const { return rows_.size(); }
  static constexpr std::size_t targets_per_sample() { return 1; }
  Label label(std::size_t index) const { return texts_->labels[rows_[index]]; }
  const std::vector<std::string>& classes() const { return texts_->classes; }
  /// The tokens that the network reads of a sample.
  std::span<const std::int32_t> tokens(std::size_t index) const { return view().read(index); }

  /// The same as a view, whose memory is this source's, the set's and the vectors': a backend with memory of its own
  /// may keep a copy.
  TextsView<In, Scalar> view() const {
    TextsView<In, Scalar> all{.tokens = texts_->tokens,
                              .begins = texts_->begins,
                              .labels = texts_->labels,
                              .rows = rows_,
                              .reads_last = keep_ == Keep::last};
    if (vectors_ != nullptr) all.vectors = vectors_->values;
    return all;
  }
  void load(std::size_t index, SampleSlot<In, Scalar>& slot) const { view().load(index, slot); }

 private:
  const TextSet* texts_;
  const WordVectors* vectors_ = nullptr;
  std::vector<std::size_t> rows_;
  Keep keep_;
};

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
