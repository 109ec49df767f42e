// Times every policy against the residual, dense and plain stacks.
#include "stacks.hpp"

int main(int argc, char** argv) {
  stacks::add_bare();
  stacks::add_none();
  stacks::add_residual();
  stacks::add_densenet();
  stacks::add_linear();
  stacks::add_attention();
  stacks::add_attention_tied();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
