// Writes one network type for each file of figures: generate_figures FOLDER OUT.cpp...
//
// A file is named after its case; "case" in its metadata is JSON with the policy and its options, and the shapes of its
// tensors tell the rest but for the strides of convolutions (strides.hpp).
#include <aila/io/safetensors.hpp>
#include <algorithm>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "strides.hpp"

namespace {

using aila::io::SafetensorsFile;

std::size_t extent(const SafetensorsFile& file, const std::string& tensor, std::size_t axis) {
  const auto& shape = file.at(tensor).shape;
  if (axis >= shape.size()) file.fail("the tensor " + tensor + " has too few axes");
  return shape[axis];
}

/// The policy as C++.
std::string policy(const SafetensorsFile& file, const nlohmann::json& options) {
  const std::string name = options.at("integrate");
  const std::string prefix = "aila::integrate::";
  if (name == "none") return prefix + "None";
  if (name == "residual") return prefix + "Residual";
  if (name == "densenet") return prefix + "DenseNet";
  const std::size_t heads = options.value("heads", std::size_t{1});
  std::string arguments = "aila::Heads<" + std::to_string(heads) + ">";
  if (name == "linear") {
    if (options.value("task_width", 0) > 0) arguments += ", aila::TaskEmbedding";
    if (options.value("context", false)) arguments += ", aila::Score<aila::Context>";
    return prefix + "Linear<" + arguments + ">";
  }
  if (name != "attention") file.fail("there is no policy " + name);
  if (file.find("w.integrations.1.key") != nullptr)
    arguments += ", aila::KeyWidth<" + std::to_string(extent(file, "w.integrations.1.key", 0) / heads) + ">";
  if (options.value("tied_values", false)) arguments += ", aila::TiedValues";
  if (options.value("combine", "concat") == "mean") arguments += ", aila::MeanOfHeads";
  return prefix + "Attention<" + arguments + ">";
}

std::string numbers(std::size_t a, std::size_t b) {
  return a == b ? std::to_string(a) : std::to_string(a) + ", " + std::to_string(b);
}

/// The cores as C++, each with a comma before it.
std::string cores(const SafetensorsFile& file, const nlohmann::json& options) {
  const std::size_t depth = options.at("widths").size();
  std::string text;
  if (file.find("w.cores.0.conv.weight") == nullptr) {
    for (std::size_t j = 0; j < depth; ++j)
      text +=
          ", aila::Lstm<" + std::to_string(extent(file, "w.cores." + std::to_string(j) + ".rnn.weight_hh_l0", 1)) + ">";
    return text;
  }
  const auto strides = figures::StrideSearch(file, options).find();
  for (std::size_t j = 0; j < depth; ++j) {
    const auto& shape = file.at("w.cores." + std::to_string(j) + ".conv.weight").shape;
    const std::size_t w = shape.back(), h = shape.size() == 4 ? shape[2] : w;
    const std::size_t a = shape.size() == 4 ? strides[j].height : strides[j].width, b = strides[j].width;
    text += ", aila::Conv<" + std::to_string(shape[0]);
    if (h != 3 || w != 3) text += ", aila::Kernel<" + numbers(h, w) + ">";
    if (h % 2 == 0 || w % 2 == 0) text += ", aila::Padding<" + numbers(h / 2, w / 2) + ">";
    if (a != 1 || b != 1) text += ", aila::Stride<" + numbers(a, b) + ">";
    text += ">";
  }
  return text;
}

/// The network type and its test.
std::string source(const SafetensorsFile& file, const std::filesystem::path& path, std::size_t number) {
  const auto found = file.metadata().find("case");
  if (found == file.metadata().end()) file.fail("the metadata has no case");
  const auto options = nlohmann::json::parse(found->second);
  std::string input = "aila::Shape<" + std::to_string(extent(file, "x", 1));
  for (std::size_t axis = 2; axis < file.at("x").shape.size(); ++axis)
    input += ", " + std::to_string(extent(file, "x", axis));
  const std::string type = "Figure" + std::to_string(number);
  const std::string name = path.stem().string();
  return "struct " + type + " : aila::Network<" + input + ">, aila::Stack<" + policy(file, options) +
         cores(file, options) + ">> {};\n" + "TEST_CASE(" +
         nlohmann::json("the figures of " + name + " are met").dump() + ") {\n  figures::check<" + type + ">(" +
         nlohmann::json(std::filesystem::absolute(path).string()).dump() + ");\n}\n\n";
}

void run(const std::filesystem::path& folder, const std::vector<std::filesystem::path>& outputs) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".safetensors") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());

  std::vector<std::string> texts(outputs.size(), "#include \"check.hpp\"\n\nnamespace {\n\n");
  std::size_t number = 0;
  for (const auto& path : paths) {
    texts[number % texts.size()] += source(SafetensorsFile::read(path), path, number);
    ++number;
  }
  if (number == 0) throw aila::Error(folder.string() + ": there is no file of figures (*.safetensors) to check");
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    std::ofstream out(outputs[i]);
    out << texts[i] << "}  // namespace\n";
    if (!out.flush()) throw aila::Error(outputs[i].string() + ": cannot be written");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: generate_figures FOLDER OUT.cpp...\n";
    return 2;
  }
  try {
    run(argv[1], {argv + 2, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
