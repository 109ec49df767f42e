// Recurrent layers against figures that PyTorch made (figures/make_sequences.py).
#include "figures.hpp"

using namespace aila;
using layer_figures::check, layer_figures::Net;

TEST_CASE("recurrent layers are PyTorch's, in one direction and in both") {
  using In = Sequence<6, 3>;
  check<Net<In, Gru<5>>>("gru");
  check<Net<In, Gru<5>>>("gru-lengths");
  check<Net<In, Bidirectional<Gru<5>>>>("gru-both");
  check<Net<In, Bidirectional<Gru<5>>>>("gru-both-lengths");
  check<Net<In, Bidirectional<Lstm<5>>>>("lstm-both");
  check<Net<In, Bidirectional<Lstm<5>>>>("lstm-both-lengths");
}
