// Convolutions and pools against PyTorch's, on files that figures/make_windows.py wrote.
#include <doctest/doctest.h>

#include <aila/io/safetensors.hpp>
#include <string>

#include "one_layer.hpp"

using namespace aila;

namespace {

const io::SafetensorsFile& figures(const char* name) {
  static const auto read = [](const std::string& file) {
    return io::SafetensorsFile::read(std::string(AILA_SOURCE_DIR) + "/tests/layer/figures/" + file + ".safetensors");
  };
  static const io::SafetensorsFile convolutions = read("convolutions"), pools = read("pools");
  return convolutions.find(std::string(name) + ".x") != nullptr ? convolutions : pools;
}

template <class S>
void check(const std::string& name, const LayerFunctions<S>& layer, double tolerance) {
  INFO(name, sizeof(S) == 4 ? " in float" : " in double");
  const auto& file = figures(name.c_str());
  const auto tensor = [&](const char* part) { return file.as<double>(name + "." + part); };
  const auto scalars = [&](const char* part) { return file.as<S>(name + "." + part); };
  OneLayer<S> run(layer, file.at(name + ".x").shape.at(0));
  if (run.tensors() > 0) run.set(0, scalars("w"));
  if (run.tensors() > 1) run.set(1, scalars("b"));
  CHECK(difference(run.forward(scalars("x")), tensor("y")) < tolerance);
  CHECK(difference(run.backward(scalars("dy")), tensor("dx")) < tolerance);
  if (run.tensors() > 0) CHECK(difference(run.gradient(0), tensor("dw")) < tolerance);
  if (run.tensors() > 1) CHECK(difference(run.gradient(1), tensor("db")) < tolerance);
}

/// The Reference in double, the Cpu in double and in float.
template <class L, class In>
void meets(const char* name) {
  using backend::CpuOn, simd::DefaultArch;
  check(name, LayerFunctions<double>::of<L, In, backend::Reference<double>>(), 1e-10);
  check(name, LayerFunctions<double>::of<L, In, CpuOn<DefaultArch, double>>(), 1e-10);
  check(name, LayerFunctions<float>::of<L, In, CpuOn<DefaultArch, float>>(), 1e-5);
}

}  // namespace

TEST_CASE("convolutions agree with PyTorch's") {
  meets<Conv<4>, Image<4, 5, 3>>("same");
  meets<Conv<3, Stride<2>>, Image<5, 6, 2>>("stride");
  meets<Conv<3, Kernel<2, 3>, Dilation<1, 2>, Padding<0>>, Image<4, 7, 2>>("dilation");
  meets<Conv<6, Stride<1, 2>, Padding<2, 1>, Groups<2>, NoBias>, Image<3, 5, 4>>("groups");
  meets<DepthwiseConv<>, Image<4, 3, 5>>("depthwise");
  meets<DepthwiseConv<Kernel<4>, Stride<3>, Dilation<2>>, Image<7, 8, 3>>("depthwise_stride");
  meets<Conv<5, Kernel<1>>, Image<3, 2, 3>>("pointwise");
  meets<Conv<4>, Sequence<7, 3>>("sequence");
  meets<Conv<4, Kernel<5>, Stride<3>, Dilation<2>, Groups<2>>, Sequence<11, 4>>("sequence_stride");
}

TEST_CASE("pools agree with PyTorch's") {
  meets<MaxPool<2>, Image<4, 6, 3>>("max");
  meets<MaxPool<3, Stride<2>, Padding<1>>, Image<5, 6, 3>>("max_overlap");
  meets<MaxPool<2, Width<3>, Stride<1, 2>, Padding<0, 1>>, Image<4, 5, 2>>("max_window");
  meets<MaxPool<3, Stride<2>, Padding<1>>, Sequence<8, 3>>("max_sequence");
  meets<AveragePool<2>, Image<4, 5, 3>>("average");
  meets<AveragePool<3, Stride<2>, Padding<1>>, Image<5, 6, 3>>("average_padding");
  meets<AveragePool<4, Stride<3>, Padding<2>>, Sequence<8, 3>>("average_sequence");
  meets<GlobalMaxPool, Image<3, 4, 5>>("global_max");
}
