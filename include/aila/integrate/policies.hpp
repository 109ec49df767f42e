// The policies of integration, one line each.
//
//   Attention<options...>  attention over depth: Heads<H>, KeyWidth<K>, TiedValues, MeanOfHeads       (architecture 2)
//   DenseNet               the core reads all earlier layers side by side                             (control)
//   Linear<options...>     learned linear scores: Heads<H>, TaskEmbedding, Score<Context>             (architecture 1)
//   None                   no connection                                                              (control)
//   Residual               the layer before is added                                                  (control)
#pragma once

#include "../contract/policy.hpp"
#include "attention.hpp"
#include "controls.hpp"
#include "linear.hpp"
