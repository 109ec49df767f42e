// Images that lie in a GPU's memory as bytes, and the batches that are made of them there.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "../images.hpp"
#include "samples.hpp"

namespace aila::inline v0::cuda {

/// A copy of all images of a view, and batches as its `load` gives them, bit for bit. Bound by memory: of each number
/// of an input one byte is read and four are written.
template <class In>
class KeptImages {
 public:
  using View = ImagesView<In, float>;

  /// Copies the images, where there is room. Throws Error for a view whose sizes do not fit.
  void keep(const View& images, const Queue& queue) {
    if (holds(images)) return;
    *this = {};
    if (images.size() == 0) return;
    images.check();
    if (images.labels.size() > UINT32_MAX || !has_room_for(bytes(images))) return;
    aila::detail::where_there_is_room(
        [&] {
          pixels_ = copy_of(images.pixels, queue);
          labels_ = copy_of(images.labels, queue);
          numbers_ = copy_of(images.numbers, queue);
          kept_numbers_.assign(images.numbers.begin(), images.numbers.end());
          of_ = images;
        },
        [&] { *this = {}; });
  }
  bool is_there() const { return of_.size() > 0; }
  /// The table is a source's own, and the next source may have another one in its place: numbers are compared.
  bool holds(const View& images) const {
    return is_there() && of_.is(images) && std::ranges::equal(kept_numbers_, images.numbers);
  }
  /// The images of samples, as `take` has them. Throws Error where there is no such sample.
  void number(std::span<const std::size_t> indices, std::uint32_t* to) const {
    for (const std::size_t index : indices) {
      aila::detail::check_index(index, of_.size());
      *to++ = static_cast<std::uint32_t>(of_.rows[index]);
    }
  }
  /// The images of these numbers, as the epoch changes them, to the arrays.
  void take(const Pass& pass, const BatchNumbers& numbers, const BatchArrays<In>& to) const;

 private:
  static std::size_t bytes(const View& images) {
    return images.pixels.size_bytes() + images.labels.size_bytes() + images.numbers.size_bytes();
  }

  View of_;
  Array<std::uint8_t> pixels_;
  Array<std::int32_t> labels_;
  Array<float> numbers_;
  std::vector<float> kept_numbers_;
};

#ifdef __CUDACC__
/// An ImageChange as the threads of a block share it.
struct SharedChange {
  int down, right, flip, top, bottom, left, end;
};

/// Block (n, part) writes words of image n's input, of 16 bytes where inputs are whole ones. The change is drawn once a
/// block, and what a byte becomes is looked up in shared memory, unless many channels leave no room for it there.
template <class In>
struct TakeImages {
  static constexpr unsigned height = In::extents[0], width = In::extents[1], channels = In::extents[2];
  static constexpr bool shares_numbers = channels <= 16;
  static constexpr unsigned shared_numbers = shares_numbers ? channels * 256 : 1;
  static constexpr unsigned each = In::elements % 4 == 0 ? 4 : 1, words = In::elements / each;

  const std::uint8_t* pixels;
  const std::int32_t* labels;
  const float* numbers;
  Augmentation augmentation;
  Seed seed;
  BatchNumbers batch;
  BatchArrays<In> to;

  __device__ SharedChange draw(std::uint32_t image) const {
    ImageChange change;
    if (const std::uint64_t epoch = batch.epoch(); epoch > 0)
      change = aila::detail::drawn_change(augmentation, seed, epoch, image, height, width);
    return {static_cast<int>(change.down), static_cast<int>(change.right),  change.flip ? 1 : 0,
            static_cast<int>(change.top),  static_cast<int>(change.bottom), static_cast<int>(change.left),
            static_cast<int>(change.end)};
  }
  /// Number `i` of the input.
  __device__ static float number(unsigned i, const std::uint8_t* image, const SharedChange& change,
                                 const float* numbers) {
    const int y = static_cast<int>(i / (width * channels)), x = static_cast<int>(i / channels % width);
    if (y >= change.top && y < change.bottom && x >= change.left && x < change.end) return 0;
    const auto row = static_cast<unsigned>(y + change.down);
    const auto column = static_cast<unsigned>((change.flip != 0 ? static_cast<int>(width) - 1 - x : x) + change.right);
    const unsigned channel = i % channels;
    const bool inside = row < height && column < width;  // what lies before the image has wrapped around
    return numbers[channel * 256 + (inside ? image[(row * width + column) * channels + channel] : 0)];
  }
};

template <class In>
__global__ void take_images_kernel(TakeImages<In> take) {
  using Take = TakeImages<In>;
  __shared__ SharedChange change;
  __shared__ float shared[Take::shared_numbers];
  const std::size_t n = blockIdx.x;
  const std::uint32_t row = take.batch.samples()[n];
  if (threadIdx.x == 0) change = take.draw(row);
  if constexpr (Take::shares_numbers)
    for (unsigned i = threadIdx.x; i < Take::shared_numbers; i += blockDim.x) shared[i] = take.numbers[i];
  __syncthreads();
  const float* const numbers = Take::shares_numbers ? shared : take.numbers;
  const std::uint8_t* const image = take.pixels + row * In::elements;
  float* const input = take.to.input + n * In::elements;
  const auto number = [&](unsigned i) { return Take::number(i, image, change, numbers); };
  for (unsigned word = blockIdx.y * blockDim.x + threadIdx.x; word < Take::words; word += gridDim.y * blockDim.x) {
    const unsigned i = word * Take::each;
    if constexpr (Take::each == 4)
      reinterpret_cast<float4*>(input)[word] = {number(i), number(i + 1), number(i + 2), number(i + 3)};
    else
      input[word] = number(i);
  }
  if (blockIdx.y > 0 || threadIdx.x > 0) return;
  if (take.to.targets != nullptr) take.to.targets[n] = static_cast<float>(take.labels[row]);
  take.to.weights[n] = 1;
  if (take.to.lengths != nullptr) take.to.lengths[n] = static_cast<std::int32_t>(In::extents[0]);
}

template <class In>
[[gnu::used]] void KeptImages<In>::take(const Pass& pass, const BatchNumbers& numbers,
                                        const BatchArrays<In>& to) const {
  using Take = TakeImages<In>;
  constexpr unsigned threads = 256;
  const dim3 blocks(static_cast<unsigned>(pass.samples), blocks_for(Take::words, 2 * threads, 1024));
  launch(pass, &take_images_kernel<In>, blocks, threads, 0,
         Take{pixels_.data(), labels_.data(), numbers_.data(), of_.augmentation, of_.seed, numbers, to});
}
#endif

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
