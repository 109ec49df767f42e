// Patch embedding: an image becomes the sequence of its patches.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>

#include "../contract/layer.hpp"

namespace aila::inline v0 {

namespace detail {
template <std::size_t patch, std::size_t width>
struct NoPatch {
  static consteval int say() {
    constexpr bool some = patch > 0 && width > 0;
    static_assert(some, "aila: PatchEmbedding needs a patch and a width of at least one");
    return 0;
  }
};
}  // namespace detail

/// [height, width, C] -> [(height / Patch) (width / Patch), Width]: one affine map of every square of Patch x Patch
/// pixels, row by row; a convolution whose kernel is its stride. Tensors as in torch.nn.Conv2d: weight [Width, C,
/// Patch, Patch], bias [Width], uniform in +-1/sqrt(C Patch Patch). Source: arXiv 2010.11929.
template <std::size_t Patch, std::size_t Width>
struct PatchEmbedding {
  static constexpr const char* name = "patch_embedding";
  using Refusal = std::conditional_t<(Patch > 0 && Width > 0), detail::NoRefusal, detail::NoPatch<Patch, Width>>;
  static std::string options() { return std::to_string(Patch) + (Patch == 1 ? " pixel a side" : " pixels a side"); }

  template <class In>
  static constexpr bool is_image = [] {
    if constexpr (RealShape<In>) return In::rank == 3;
    return false;
  }();
  template <class In>
  static constexpr bool accepts = [] {
    if constexpr (is_image<In>) return In::extents[0] % Patch == 0 && In::extents[1] % Patch == 0;
    return false;
  }();
  template <class In>
  static consteval int expect() {
    constexpr bool image = is_image<In>;
    constexpr bool divides = !image || accepts<In>;
    static_assert(image, "aila: PatchEmbedding takes an image [height, width, channels]; this input is none");
    static_assert(divides, "aila: the patch of PatchEmbedding must divide height and width of the image");
    return 0;
  }
  template <class In>
  using Out = Sequence<In::positions / (Patch * Patch), Width>;

  template <class In>
  static consteval auto parameters() {
    constexpr std::size_t fan_in = In::features * Patch * Patch;
    return std::array{parameter("weight", {Width, In::features, Patch, Patch}, init::torch_uniform(fan_in)),
                      parameter("bias", {Width}, init::torch_uniform(fan_in)).without_decay()};
  }
  template <class In>
  static consteval std::size_t flops() {
    return In::positions / (Patch * Patch) * Width * (2 * In::features * Patch * Patch + 1);
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
