// Chance changes of images in training, by the names that data sets have for them.
#pragma once

#include "../core/macros_aside.hpp"

#include "../learn/augment.hpp"

namespace aila::inline v0::data {

using aila::Augmentation;
using aila::draw_change;
using aila::ImageChange;

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
