// The policies of integration, one line each.
//
// after the cores
//   Attention<options...>            attention over depth: Heads<H>, KeyWidth<K>, TiedValues...   (architecture 2)
//   AttentionMixture<axes...>        the same with any axes of a mixture                          (architecture 2)
//   DenseNet                         the core reads all earlier layers side by side               (control)
//   Linear<options...>               linear scores: Heads<H>, TaskEmbedding, Score<Context>       (architecture 1)
//   LinearMixture<axes...>           the same with any axes of a mixture                          (architecture 1)
//   Mixture<axes...>                 items weighed and added, as its axes say; elsewhere too
//   None                             no connection                                                (control)
//   Residual                         the layer before is added                                    (control)
// before the cores
//   AttentionResiduals<axes...>      softmax of what a learned query asks; InBlocks<B>            (arXiv 2603.15031)
//     with Heads<H>                  a softmax for each of H slices: MHAR                         (arXiv 2607.27230)
//   DeepCrossAttention<C, axes...>   a weight a channel and a scored one, C ways; Ends<K>         (arXiv 2502.06785)
//   DeepCrossAttention1<axes...>     a weight an item; ...2: a weight a channel                   (arXiv 2502.06785)
//   DeltaAttentionResiduals<axes...> attention residuals beside the residual sum                  (arXiv 2605.18855)
//   DenseFormer<K, P>                all earlier maps by learned weights, dilation, period        (arXiv 2402.02622)
//   DynamicLinearCombination         the same, from the mean on, of normed items: DLCL            (arXiv 1906.01787)
//   InputMix                         the newest map and the stack's input                         (modded-nanogpt)
//   Mudd<C>, StaticMudd<C>           C ways, of weights that the newest map emits                 (arXiv 2502.12170)
//   UNetSkips                        the second half takes the maps of the first                  (modded-nanogpt)
// carried along the depth
//   Highway                          the stream or the core's output, by a gate a feature         (arXiv 1505.00387)
//   HyperConnections<N>              N residual streams, static                                   (arXiv 2409.19606)
//   Laurel<options...>               ResNet's sum, learned: in weights, rank, last states         (arXiv 2411.07501)
//   ReZero                           the stream and a number of times the core's output           (arXiv 2003.04887)
// inside the cores
//   ValueResidual                    attention's values with those of the first layer             (arXiv 2410.17897)
// at the readout
//   ElmoMix                          all layers by a softmax of learned scores                    (arXiv 1802.05365)
// several places
//   Together<policies...>
#pragma once

#include "../contract/policy.hpp"
#include "attention.hpp"
#include "controls.hpp"
#include "dense_former.hpp"
#include "depth_mixtures.hpp"
#include "hyper_connections.hpp"
#include "laurel.hpp"
#include "linear.hpp"
#include "mixture.hpp"
#include "residual_stream.hpp"
#include "together.hpp"
#include "value_residual.hpp"
