// Where buffers lie in one block of memory: two whose numbers are never needed at the same time may lie over one
// another.
#pragma once

#include "macros_aside.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "config.hpp"

namespace aila::inline v0 {

/// When the numbers of a buffer are needed. The clock counts the parts of a network in the order of a forward; backward
/// comes to them the other way round.
struct Life {
  using Time = std::int32_t;
  struct Span {
    Time first = 0, last = -1;  ///< both are part of it; empty where first > last
    friend constexpr bool operator==(const Span&, const Span&) = default;
    constexpr bool meets(const Span& other) const { return first <= other.last && other.first <= last; }
  };
  /// Parts that follow one another on the clock.
  struct Parts {
    Time first = 0, count = 1;
    constexpr Time last() const { return first + count - 1; }
  };
  /// In these spans.
  std::array<Span, 2> when{};

  /// The time when backward is at this part.
  static constexpr Time backward(Time part) { return end - part; }
  /// Between a forward and its backward.
  static constexpr Time between = Time{1} << 29;

  static constexpr Life always() { return {{Span{-1, end + 1}}}; }
  /// From a part's forward to the backward of another, `until`, or of itself.
  static constexpr Life kept(Time from, Time until) { return {{Span{from, backward(until)}}}; }
  static constexpr Life in_forward(Time first, Time last) { return {{Span{first, last}}}; }
  /// While backward goes from part `from` down to part `to`.
  static constexpr Life in_backward(Time from, Time to) { return {{Span{backward(from), backward(to)}}}; }
  /// In forward and in backward of parts [first, last], but not between them.
  static constexpr Life in_both(Time first, Time last) {
    return {{Span{first, last}, Span{backward(last), backward(first)}}};
  }

  constexpr bool meets(const Life& other) const {
    for (const Span& a : when)
      for (const Span& b : other.when)
        if (a.first <= a.last && b.first <= b.last && a.meets(b)) return true;
    return false;
  }
  friend constexpr bool operator==(const Life&, const Life&) = default;

 private:
  static constexpr Time end = Time{1} << 30;
};

/// Collects buffers in the order in which they are taken, places them, and tells their offsets in that order. The
/// largest come first, each at the lowest offset where nothing lies that lives at the same time: of what is known to be
/// quick this comes closest to the least (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
/// Inference", 2020).
class MemoryPlan {
 public:
  /// A buffer of so many elements, a multiple of the alignment.
  constexpr void add(std::size_t elements, const Life& life) {
    if (blocks_.empty() || blocks_.back().life != life) blocks_.push_back({0, 0, life});
    takes_.push_back({blocks_.size() - 1, blocks_.back().elements});
    blocks_.back().elements += elements;
  }

  /// To be called once, when all are there.
  constexpr void place() {
    std::vector<std::size_t> by_size;
    by_size.reserve(blocks_.size());
    for (std::size_t i = 0; i < blocks_.size(); ++i) by_size.push_back(i);
    std::ranges::sort(by_size, [this](std::size_t a, std::size_t b) {
      return blocks_[a].elements != blocks_[b].elements ? blocks_[a].elements > blocks_[b].elements : a < b;
    });
    std::vector<const Block*> placed;  // by offset
    placed.reserve(blocks_.size());
    for (const std::size_t i : by_size) {
      Block& block = blocks_[i];
      for (const Block* other : placed) {
        if (other->offset >= block.offset + block.elements) break;
        if (other->offset + other->elements > block.offset && other->life.meets(block.life))
          block.offset = other->offset + other->elements;
      }
      const auto behind = std::ranges::upper_bound(placed, block.offset, {}, &Block::offset);
      placed.insert(behind, &block);
      size_ = std::max(size_, block.offset + block.elements);
    }
    is_placed_ = true;
  }
  constexpr bool is_placed() const { return is_placed_; }
  /// Elements of all.
  constexpr std::size_t size() const { return size_; }
  /// Of the buffer that was taken as number `take`.
  constexpr std::size_t offset(std::size_t take) const {
    return blocks_[takes_[take].block].offset + takes_[take].within;
  }

  /// Elements [first, first + count).
  struct Range {
    std::size_t first = 0, count = 0;
  };
  /// Where no number is needed at this time.
  constexpr std::vector<Range> idle(Life::Time time) const {
    std::vector<const Block*> used;
    for (const Block& block : blocks_)
      if (block.life.meets(Life::in_forward(time, time))) used.push_back(&block);
    std::ranges::sort(used, {}, &Block::offset);
    std::vector<Range> all;
    std::size_t at = 0;
    for (const Block* block : used) {
      if (block->offset > at) all.push_back({at, block->offset - at});
      at = std::max(at, block->offset + block->elements);
    }
    if (at < size_) all.push_back({at, size_ - at});
    return all;
  }

 private:
  struct Block {
    std::size_t elements = 0, offset = 0;
    Life life;
  };
  struct Take {
    std::size_t block = 0, within = 0;
  };
  std::vector<Block> blocks_;
  std::vector<Take> takes_;
  std::size_t size_ = 0;
  bool is_placed_ = false;
};

}  // namespace aila::inline v0

#include "macros_back.hpp"
