// Texts that lie in a GPU's memory as numbers of tokens, and the batches that are made of them there.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstdint>
#include <type_traits>

#include "../texts.hpp"
#include "samples.hpp"

namespace aila::inline v0::cuda {

/// A copy of all texts of a view, and of the tokens' vectors where inputs are those; batches as its `load` gives them,
/// bit for bit; see Kept. Bound by memory: each number of an input is read and written once.
template <class In>
class TextsCopy {
 public:
  using View = TextsView<In, float>;

  TextsCopy() = default;
  TextsCopy(const View& of, const Queue& queue)
      : tokens_(copy_of(of.tokens, queue)), labels_(copy_of(of.labels, queue)), begins_(copy_of(of.begins, queue)) {
    if constexpr (!In::is_tokens) vectors_ = copy_of(of.vectors, queue);
  }
  static std::size_t bytes(const View& of) {
    return of.tokens.size_bytes() + of.begins.size_bytes() + of.labels.size_bytes() +
           (In::is_tokens ? 0 : of.vectors.size_bytes());
  }
  static std::size_t rows(const View& of) { return of.labels.size(); }
  static std::size_t row(const View& of, std::size_t index) { return of.rows[index]; }
  static bool has_length(const View& of, std::size_t index) { return of.read(index).size() < View::steps; }
  /// The texts of these numbers to the arrays.
  void take(const View& of, const Pass& pass, const BatchNumbers& numbers, const BatchArrays<In>& to) const;

 private:
  Array<std::int32_t> tokens_, labels_;
  Array<std::size_t> begins_;
  Array<float> vectors_;
};

#ifdef __CUDACC__
/// Block (n, part) writes words of text n's input, of 16 bytes where vectors are whole ones. Sizes are numbers, so that
/// networks of all sizes share the kernel.
template <class Word>
struct TakeTexts {
  const std::int32_t* tokens;
  const std::size_t* begins;
  const std::int32_t* labels;
  const Word* vectors;    ///< null: inputs are tokens
  unsigned steps, words;  // of an input, and words a step
  bool reads_last;
  BatchNumbers batch;
  Word* input;
  float* targets;
  float* weights;
  std::int32_t* lengths;

  /// Word `i` of a token's part of the input.
  __device__ Word word(std::int32_t token, unsigned i) const {
    if constexpr (std::is_same_v<Word, std::uint32_t>)
      if (vectors == nullptr) return static_cast<Word>(token);
    return vectors[static_cast<std::size_t>(token) * words + i];
  }
};

template <class Word>
__global__ void take_texts_kernel(TakeTexts<Word> take) {
  const std::size_t n = blockIdx.x, row = take.batch.samples()[n];
  const auto read = aila::detail::ReadTokens::of(take.begins[row], take.begins[row + 1], take.steps, take.reads_last);
  const auto count = static_cast<unsigned>(read.count), words = take.steps * take.words;
  const std::int32_t* const tokens = take.tokens + read.begin;
  Word* const input = take.input + n * words;
  for (unsigned i = blockIdx.y * blockDim.x + threadIdx.x; i < words; i += gridDim.y * blockDim.x) {
    const unsigned step = i / take.words;
    input[i] = step < count ? take.word(tokens[step], i - step * take.words) : Word{};
  }
  if (blockIdx.y > 0 || threadIdx.x > 0) return;
  if (take.targets != nullptr) take.targets[n] = static_cast<float>(take.labels[row]);
  take.weights[n] = 1;
  if (take.lengths != nullptr) take.lengths[n] = static_cast<std::int32_t>(count);
}

template <class In>
[[gnu::used]] void TextsCopy<In>::take(const View& of, const Pass& pass, const BatchNumbers& numbers,
                                       const BatchArrays<In>& to) const {
  constexpr std::size_t each = In::elements / View::steps;
  constexpr bool whole = each % 4 == 0;
  using Word = std::conditional_t<whole, uint4, std::uint32_t>;
  static_assert(sizeof(ElementOf<In, float>) == 4);
  constexpr unsigned threads = 256, words = each / (whole ? 4 : 1);
  const dim3 blocks(static_cast<unsigned>(pass.samples), blocks_for(View::steps * words, 2 * threads, 1024));
  launch(pass, &take_texts_kernel<Word>, blocks, threads, 0,
         TakeTexts<Word>{tokens_.data(), begins_.data(), labels_.data(), reinterpret_cast<const Word*>(vectors_.data()),
                         View::steps, words, of.reads_last, numbers, reinterpret_cast<Word*>(to.input), to.targets,
                         to.weights, to.lengths});
}
#endif

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
