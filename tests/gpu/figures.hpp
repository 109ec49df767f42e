// The device beside numbers that PyTorch made: the files that the CPU's tests read, and what they do with them.
#pragma once

#include "../figures/check.hpp"
#include "../layer/figures.hpp"
#include "../zoo/check.hpp"
#include "compare.hpp"

namespace device_figures {

using namespace aila;

/// max|ours - figure| / max|figure| of a tensor, at most.
inline constexpr double most = 1e-5;

/// A network of layers on a file of tests/<folder>/figures.
template <class Net>
void meets(const std::string& name, const std::string& folder = "layer") {
  const auto file = layer_figures::read(name, folder);
  const double worst = layer_figures::check_on<Net, backend::Cuda>(file, most);
  std::printf("%-36s worst: cuda %.1e, bound %.1e\n", name.c_str(), worst, most);
}
/// The same of one where float amplifies its rounding.
template <class Net>
void meets_as_float_does(const std::string& name, const std::string& folder = "layer") {
  layer_figures::check_in_float<Net, backend::Cuda>(layer_figures::read(name, folder));
}
/// A layer on a case of a file that has many.
template <class L, class In>
void meets_case(const char* in_file, const std::string& name) {
  const double worst = layer_figures::check_on<layer_figures::Net<In, L>, backend::Cuda>(
      layer_figures::read(in_file), most, layer_figures::NamesOfCase{name});
  std::printf("%-36s worst: cuda %.1e, bound %.1e\n", name.c_str(), worst, most);
}
/// A stack on a file of tests/figures/data.
template <class Net>
void meets_stack(const std::string& name) {
  figures::check_in_float<Net, backend::Cuda>(
      io::SafetensorsFile::read(AILA_SOURCE_DIR "/tests/figures/data/" + name + ".safetensors"));
}

/// A network of the zoo on a file of tests/zoo/figures.
template <class Net>
void meets_whole(const char* name) {
  const double worst = zoo_check::check_on<Net, backend::Cuda>(zoo_check::read(name), zoo_check::in_float);
  std::printf("%-36s worst: cuda %.1e, bound %.1e\n", name, worst, zoo_check::in_float);
}

}  // namespace device_figures
