// All loaders that are fuzzed.
#pragma once

#include "csv.hpp"
#include "images.hpp"
#include "safetensors.hpp"
#include "texts.hpp"

namespace aila_fuzz {

/// Calls f.operator()<Loader>() for each.
template <class F>
void for_each_loader(F&& f) {
  f.template operator()<Csv>();
  f.template operator()<Safetensors>();
  f.template operator()<Cifar10>();
  f.template operator()<Idx>();
  f.template operator()<IdxGzip>();
  f.template operator()<Pnm>();
  f.template operator()<Tsv>();
  f.template operator()<Words>();
  f.template operator()<Vocabularies>();
  f.template operator()<Glove>();
}

}  // namespace aila_fuzz
