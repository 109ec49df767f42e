// Images that lie in memory as bytes, and how samples are made of them.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "../core/error.hpp"
#include "../core/random.hpp"
#include "../core/shape.hpp"
#include "augment.hpp"
#include "sample_slot.hpp"
#include "view.hpp"

namespace aila::inline v0 {

/// Labelled images that lie elsewhere, and a sample for each of `rows`. Its input [height, width, channels] at (y, x,
/// c) is numbers[c, pixels[row, y + down, x' + right, c]], where x' is x, or width - 1 - x of a flipped image;
/// numbers[c, 0] where that lies outside the image; and 0 in the blank square. Its target is the label. The ImageChange
/// is draw_change(augmentation, seed, epoch, row, height, width); epoch 0, which is that of evaluation, has none. A
/// SampleSource, as whose samples a backend with memory of its own makes them there, bit for bit.
template <class In, class Scalar = float>
struct ImagesView {
  static constexpr std::size_t height = In::extents[0], width = In::extents[1], channels = In::extents[2];

  std::span<const std::uint8_t> pixels{};  ///< [N, height, width, channels]
  std::span<const std::int32_t> labels{};  ///< [N]
  std::span<const Scalar> numbers{};       ///< [channels, 256]: what each byte of each channel becomes
  std::span<const std::size_t> rows{};     ///< [samples], of the N: the image of each sample
  Augmentation augmentation{};
  Seed seed{};

  std::size_t size() const { return rows.size(); }
  static constexpr std::size_t targets_per_sample() { return 1; }
  ImagesView view() const { return *this; }

  /// Throws Error where sizes do not fit, for a row that is none of the images', and more padding than draw_change
  /// takes.
  void check() const {
    if (pixels.size() / In::elements != labels.size() || pixels.size() % In::elements != 0)
      throw_error("images: expected ", labels.size(), " images, one a label, of ", In::elements, " bytes each, found ",
                  pixels.size(), " bytes in all");
    if (numbers.size() != channels * 256)
      throw_error("images: expected a number for each of 256 bytes of ", channels, " channels, found ", numbers.size());
    detail::check_rows("images", rows, labels.size());
    augmentation.check(height, width);
  }

  /// Whether both make the same samples of the same memory.
  bool is(const ImagesView& other) const {
    using detail::is_same_memory;
    return is_same_memory(pixels, other.pixels) && is_same_memory(labels, other.labels) &&
           is_same_memory(numbers, other.numbers) && is_same_memory(rows, other.rows) &&
           augmentation == other.augmentation && seed.value == other.seed.value;
  }

  void load(std::size_t index, SampleSlot<In, Scalar>& slot) const {
    const std::size_t row = rows[index];
    ImageChange change;
    if (slot.epoch > 0) change = draw_change(augmentation, seed, slot.epoch, row, height, width);
    crop(pixels.data() + row * In::elements, change, slot.input);
    for (std::size_t y = change.top; y < change.bottom; ++y)
      std::fill(slot.input + (y * width + change.left) * channels, slot.input + (y * width + change.end) * channels,
                Scalar(0));
    if (slot.target_count > 0) slot.targets[0] = static_cast<Scalar>(labels[row]);
  }

 private:
  void crop(const std::uint8_t* image, const ImageChange& change, Scalar* to) const {
    constexpr auto columns = static_cast<std::ptrdiff_t>(width);
    // Columns of the crop that lie inside the image.
    const std::ptrdiff_t first = std::clamp<std::ptrdiff_t>(-change.right, 0, columns);
    const std::ptrdiff_t last = std::clamp<std::ptrdiff_t>(columns - change.right, 0, columns);
    for (std::size_t y = 0; y < height; ++y, to += width * channels) {
      const std::ptrdiff_t from = static_cast<std::ptrdiff_t>(y) + change.down;
      const bool inside = from >= 0 && from < static_cast<std::ptrdiff_t>(height);
      const std::uint8_t* pixel =
          inside ? image + (from * columns + change.right + first) * static_cast<std::ptrdiff_t>(channels) : nullptr;
      for (std::ptrdiff_t x = 0; x < columns; ++x) {
        const bool black = !inside || x < first || x >= last;
        Scalar* number = to + static_cast<std::size_t>(change.flip ? columns - 1 - x : x) * channels;
        for (std::size_t c = 0; c < channels; ++c) number[c] = numbers[c * 256 + (black ? 0 : *pixel++)];
      }
    }
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
