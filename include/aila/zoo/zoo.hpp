// The zoo: networks of the literature and of this library as descriptions of a few lines, with what each has at the
// given arguments: parameters, and millions of multiply-adds of one sample's forward pass, all operations halved.
//
//   AilaImage<policy, input, classes, filters>          four convolutions that integrate earlier ones, arXiv 2503.22742
//       AilaImage<integrate::Linear<Heads<4>>>                  138,890     18.8
//       AilaImage<integrate::Attention<TiedValues>>             142,410     20.6
//   AilaSequence<policy, input, outputs, readout, depth, units>  LSTMs that integrate earlier ones, arXiv 2503.22742
//       AilaSequence<integrate::Linear<Heads<4>>, text, 2>      167,106     33.8
//       AilaSequence<integrate::Attention<TiedValues>, text, 2> 170,626     39.4
//   AttentionLstm<input, outputs, units>                two LSTMs, steps weighed by additive attention, arXiv 1409.0473
//       AttentionLstm<text, 2>                                   79,618     16.0
//   DenseNetBc<depth, growth, input, classes>           every layer reads all before it, arXiv 1608.06993
//       DenseNetBc<100, 12>                                     769,162    294.4
//   EfficientNetB0<size, classes, drop percent>         inverted bottlenecks that weigh features, arXiv 1905.11946
//       EfficientNetB0<224, 1000>                             5,288,548    398.2
//   Lstm2<input, outputs, units>                        two LSTMs, the last step, Hochreiter and Schmidhuber 1997
//       Lstm2<text, 2>                                           75,394     15.1
//   ResNet<depth, input, classes>                       residual blocks for small images, arXiv 1512.03385
//       ResNet<20>                                              269,722     40.9
//   ResidualCnn1d<input, outputs, filters>              four residual blocks over steps, arXiv 1611.06455
//       ResidualCnn1d<text, 2>                                  144,386     28.8
//   TransformerEncoder<input, outputs, width, heads, positions, readout>  four pre-norm blocks, arXiv 1706.03762
//       TransformerEncoder<text, 2>                             206,658     63.5
//   VisionTransformer<input, classes, width, depth, heads>  attention between patches of 4 x 4, arXiv 2010.11929
//       VisionTransformer<>                                   1,205,898     84.6
//
// `text` is Sequence<200, 100>; images are [32, 32, 3] with 10 classes where nothing else is said. A network is a
// chain: words come to it as struct Reviews : Network<Tokens<200>, Frozen<Embedding<100>>, zoo::Lstm2<Sequence<200,
// 100>, 2>>.
#pragma once

#include "aila_image.hpp"
#include "aila_sequence.hpp"
#include "attention_lstm.hpp"
#include "dense_net_bc.hpp"
#include "efficient_net_b0.hpp"
#include "lstm2.hpp"
#include "res_net.hpp"
#include "residual_cnn_1d.hpp"
#include "transformer_encoder.hpp"
#include "vision_transformer.hpp"
