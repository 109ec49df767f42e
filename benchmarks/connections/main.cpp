// Connections beside the plain stack of the same cores. Turn by turn:
//   benchmark_connections --benchmark_enable_random_interleaving=true --benchmark_repetitions=9
#include "connections.hpp"

int main(int argc, char** argv) {
  connections::add_plain();
  connections::add_elmo_mix();
  connections::add_dense_former();
  connections::add_scored();
  connections::add_hyper_connections();
  connections::add_value_residual();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
