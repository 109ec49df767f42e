// Benchmarks of connections: the training step of deep stacks of one kind of core, to be set beside the plain one's.
#pragma once

#include "../stacks/stacks.hpp"

namespace connections {

/// So many LSTMs of 64 units on the forecast's windows, and convolutions of 64 filters on small images.
template <class Policy, std::size_t Depth>
struct LstmNet
    : aila::Network<aila::Sequence<12, 1>, aila::Linear<64>, aila::Stack<Policy, aila::Repeat<Depth, aila::Lstm<64>>>,
                    aila::LastStep, aila::Linear<1>> {};
template <class Policy, std::size_t Depth>
struct ConvNet
    : aila::Network<aila::Image<16, 16, 3>, aila::Conv<64>, aila::Stack<Policy, aila::Repeat<Depth, aila::Conv<64>>>,
                    aila::MeanOverPositions, aila::Linear<1>> {};
/// And transformer blocks of width 64, which keep a residual sum of their own.
template <class Policy, std::size_t Depth>
struct BlockNet
    : aila::Network<
          aila::Sequence<32, 64>,
          aila::Stack<Policy, aila::Repeat<Depth, aila::TransformerBlock<4, 128>>, aila::Epilogue<aila::Identity>>,
          aila::MeanOverPositions, aila::Linear<1>> {};

template <class N>
void add(const std::string& core, const std::string& policy, std::size_t depth, std::size_t batch) {
  benchmark::RegisterBenchmark(("connection/train/core:" + core + "/depth:" + std::to_string(depth) +
                                "/policy:" + policy + "/batch:" + std::to_string(batch) + "/threads:1")
                                   .c_str(),
                               stacks::step<N>, batch, 1)
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}

template <class Policy>
void add_policy(const std::string& name) {
  add<LstmNet<Policy, 16>>("lstm_64", name, 16, 32);
  add<ConvNet<Policy, 16>>("conv_64", name, 16, 8);
}
template <class Policy>
void add_blocks(const std::string& name) {
  add<BlockNet<Policy, 12>>("transformer_64", name, 12, 8);
}

void add_plain();
void add_dense_former();
void add_hyper_connections();
void add_value_residual();
void add_elmo_mix();
void add_scored();

}  // namespace connections
