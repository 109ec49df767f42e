// Layers for sequences: forward and backward of one group of 8 samples on one thread, beside the LSTM.
#include "stacks/stacks.hpp"

namespace {

using namespace aila;

template <class In, class L>
struct Net : Network<In, L> {};

template <class N, bool Backward>
void pass(benchmark::State& state) {
  constexpr std::size_t samples = 8;
  const Model<N> model{Seed{1}};
  Workspace<N, backend::Cpu, Backward ? Capability::train : Capability::predict> workspace(samples);
  const auto data = stacks::make_samples<N>(samples);
  std::copy(data.inputs.begin(), data.inputs.end(), workspace.input());
  AlignedArray<float> gradients(model.parameters().size() + 2 * alignment_elements);
  Pass call;
  call.samples = samples;
  workspace.forward(call, model.parameters().data(), model.packed(), workspace.input());
  if constexpr (Backward)
    for (std::size_t i = 0; i < samples * NetworkOutput<N>::elements; ++i)
      workspace.output_gradient()[i] = 0.1F * static_cast<float>(i % 11);
  const stacks::Report report(state, static_cast<double>(flops<N>) * samples * (Backward ? 2 : 1), 1);
  for (auto _ : state) {
    if constexpr (Backward)
      workspace.backward(call, model.parameters().data(), model.packed(), gradients.data(), true);
    else
      workspace.forward(call, model.parameters().data(), model.packed(), workspace.input());
    benchmark::DoNotOptimize(workspace.output()[0]);
    benchmark::ClobberMemory();
  }
}

template <class In, class L>
void add(const std::string& layer) {
  const std::string shape = layer + "/steps:" + std::to_string(In::positions) +
                            "/features:" + std::to_string(In::features) + "/batch:8/threads:1";
  benchmark::RegisterBenchmark(("sequence/forward/" + shape).c_str(), pass<Net<In, L>, false>)->UseRealTime();
  benchmark::RegisterBenchmark(("sequence/backward/" + shape).c_str(), pass<Net<In, L>, true>)->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
  add<Sequence<200, 100>, Lstm<64>>("lstm:64");
  add<Sequence<200, 100>, Gru<64>>("gru:64");
  add<Sequence<200, 100>, Bidirectional<Gru<64>>>("bidirectional_gru:64");
  add<Sequence<64, 64>, SelfAttention<4>>("self_attention:4");
  add<Sequence<200, 64>, SelfAttention<1>>("self_attention:1");
  add<Sequence<200, 64>, SelfAttention<4>>("self_attention:4");
  add<Sequence<200, 64>, SelfAttention<4, Causal>>("causal_self_attention:4");
  add<Sequence<64, 64>, TransformerBlock<4, 128>>("transformer_block:4x128");
  add<Sequence<200, 64>, TransformerBlock<4, 128>>("transformer_block:4x128");
  add<Sequence<200, 64>, AttentionPooling<64>>("attention_pooling:64");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
