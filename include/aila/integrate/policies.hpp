// The policies of integration, one line each.
//
// after the cores
//   Attention<options...>  attention over depth: Heads<H>, KeyWidth<K>, TiedValues, MeanOfHeads       (architecture 2)
//   DenseNet               the core reads all earlier layers side by side                             (control)
//   Linear<options...>     learned linear scores: Heads<H>, TaskEmbedding, Score<Context>             (architecture 1)
//   None                   no connection                                                              (control)
//   Residual               the layer before is added                                                  (control)
//   Mixture<axes...>       items weighed and added, as its axes say; before the cores and at the readout too
// before the cores
//   DenseFormer<K, P>      all earlier maps by learned weights, with dilation and period          (arXiv 2402.02622)
// carried along the depth
//   Highway                the stream or the core's output, as a gate says by the feature         (arXiv 1505.00387)
//   HyperConnections<N>    N residual streams, static                                             (arXiv 2409.19606)
//   Laurel<options...>     ResNet's sum, learned: ResidualWeights, LowRank<R>, Previous<K>        (arXiv 2411.07501)
//   ReZero                 the stream and a learned number of times the core's output             (arXiv 2003.04887)
// inside the cores
//   ValueResidual          attention's values with those of the first layer                       (arXiv 2410.17897)
// at the readout
//   ElmoMix                all layers by a softmax of learned scores                              (arXiv 1802.05365)
// several places
//   Together<policies...>
#pragma once

#include "../contract/policy.hpp"
#include "attention.hpp"
#include "controls.hpp"
#include "dense_former.hpp"
#include "hyper_connections.hpp"
#include "linear.hpp"
#include "mixture.hpp"
#include "residual_stream.hpp"
#include "together.hpp"
#include "value_residual.hpp"
