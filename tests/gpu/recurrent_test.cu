// LSTM and GRU: sequences, lengths, streams, any width.
#include "compare.hpp"

using namespace aila;

namespace {
struct Lstm64 : Network<Sequence<6, 64>, Lstm<64>> {};
struct Lstm64of1 : Network<Sequence<13, 1>, Lstm<64>> {};
struct LstmOdd : Network<Sequence<7, 5>, Lstm<19>, Lstm<33>> {};
struct Lstm128 : Network<Sequence<5, 50>, Lstm<128>> {};
struct LstmWide : Network<Sequence<4, 20>, Lstm<300>> {};
struct LstmShort : Network<Sequence<3, 4>, Lstm<16>> {};
struct LstmOneStep : Network<Sequence<1, 8>, Lstm<64>> {};
struct LstmLong : Network<Sequence<100, 64>, Lstm<64>> {};
struct LstmNarrow : Network<Sequence<60, 20>, Lstm<16>> {};  // two threads a unit
struct Gru64 : Network<Sequence<6, 64>, Gru<64>> {};
struct GruOdd : Network<Sequence<7, 5>, Gru<19>, Gru<33>> {};
struct Gru128 : Network<Sequence<5, 50>, Gru<128>> {};
struct GruWide : Network<Sequence<4, 20>, Gru<300>> {};
struct GruOneStep : Network<Sequence<1, 8>, Gru<64>> {};
struct BothWays : Network<Sequence<7, 5>, Bidirectional<Lstm<16>>, Bidirectional<Gru<8>>> {};

/// A stream gives step by step what the sequence has.
template <class Net>
void check_stream(const char* name) {
  INFO(std::string(name), ", inputs of seed ", gpu::input_seed(5));
  using In = NetworkInput<Net>;
  Model<Net, backend::Cuda> model(Seed{3});
  Stream<Net, backend::Cuda> stream(model);
  Predictor<Net, backend::Cuda> predictor(model);
  std::mt19937_64 engine(gpu::input_seed(5));
  std::normal_distribution<float> normal;
  std::vector<float> x(In::elements);
  for (float& v : x) v = normal(engine);
  for (int round = 0; round < 2; ++round) {
    const auto y = predictor(x);
    stream.reset();
    for (std::size_t t = 0; t < In::positions; ++t) {
      const auto step = stream.step(std::span<const float, In::features>(x.data() + t * In::features, In::features));
      for (std::size_t f = 0; f < step.size(); ++f)
        CHECK(step[f] == doctest::Approx(y[t * step.size() + f]).epsilon(1e-4));
    }
  }
}
}  // namespace

TEST_CASE("LSTM") {
  if (!gpu::is_there()) return;
  gpu::compare_all<Lstm64>("lstm 64", {1, 2, 4, 9, 67, 700});
  gpu::compare_all<Lstm64of1>("lstm 64 of 1", {1, 9, 1500});
  gpu::compare_all<LstmOdd>("lstm 19, 33", {1, 5, 67});
  gpu::compare_all<Lstm128>("lstm 128", {1, 67, 300});
  gpu::compare_all<LstmWide>("lstm 300", {1, 67});
  gpu::compare_all<LstmOneStep>("lstm of one step", {1, 67});
  for (const std::size_t samples : {150, 300, 600}) {  // two, four and eight in a block
    std::vector<std::int32_t> lengths(samples);
    for (std::size_t i = 0; i < samples; ++i) lengths[i] = static_cast<std::int32_t>(1 + i % 3);
    gpu::compare<LstmShort>("lstm 16", {.samples = samples, .lengths = lengths});
  }
  gpu::compare_all<LstmLong>("lstm of 100 steps", {3, 24});
  gpu::compare_all<LstmNarrow>("lstm of 60 steps", {1, 7});
}

TEST_CASE("GRU") {
  if (!gpu::is_there()) return;
  gpu::compare_all<Gru64>("gru 64", {1, 2, 4, 9, 67, 700});
  gpu::compare_all<GruOdd>("gru 19, 33", {1, 5, 67});
  gpu::compare_all<Gru128>("gru 128", {1, 67, 300});
  gpu::compare_all<GruWide>("gru 300", {1, 67});
  gpu::compare_all<GruOneStep>("gru of one step", {1, 67});
  gpu::compare_all<BothWays>("both ways", {1, 5, 67});
}

TEST_CASE("streams") {
  if (!gpu::is_there()) return;
  check_stream<Lstm64>("lstm 64");
  check_stream<LstmLong>("lstm of 100 steps");
  check_stream<LstmNarrow>("lstm of 60 steps");
  check_stream<LstmOdd>("lstm 19, 33");
  check_stream<LstmWide>("lstm 300");
  check_stream<Gru64>("gru 64");
  check_stream<GruOdd>("gru 19, 33");
  check_stream<GruWide>("gru 300");
}
