// A canonical array of parameters in a file, and what is said of files of other networks.
#include <doctest/doctest.h>

#include <aila/io/parameter_file.hpp>
#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "temporary_folder.hpp"

using namespace aila;
using namespace aila_test;

namespace {

struct Info {
  std::string name;
  std::array<std::size_t, 4> extents;
  std::size_t rank;
  std::size_t offset;
  std::size_t size;
};

const std::vector<Info> table{{"stack.0.core.weight_ih", {4, 3, 0, 0}, 2, 0, 12},
                              {"linear.bias", {5, 0, 0, 0}, 1, 16, 5}};

template <class Scalar>
std::vector<Scalar> numbers() {
  std::vector<Scalar> values(32);
  for (const auto& info : table)
    for (std::size_t i = 0; i < info.size; ++i) values[info.offset + i] = static_cast<Scalar>(i) / 8 + 1;
  return values;
}

template <class Scalar>
void save(const std::filesystem::path& path, const std::vector<Info>& tensors = table) {
  const auto values = numbers<Scalar>();
  io::save_parameters(path, tensors, 0xABCDEF, std::span<const Scalar>(values), {{"note", "text"}});
}

std::string refusal(const TemporaryFolder& folder, std::uint64_t description = 0xABCDEF) {
  return error_of([&] { io::load_parameters<float>(folder / "w.safetensors", table, description, 32); });
}

}  // namespace

TEST_CASE_TEMPLATE("parameters are read back in their places with zero gaps, in either precision", Saved, float,
                   double) {
  TemporaryFolder folder;
  save<Saved>(folder / "w.safetensors");
  CHECK(io::load_parameters<float>(folder / "w.safetensors", table, 0xABCDEF, 32) == numbers<float>());
  CHECK(io::load_parameters<double>(folder / "w.safetensors", table, 0xABCDEF, 32) == numbers<double>());
  const auto file = io::SafetensorsFile::read(folder / "w.safetensors");
  CHECK(file.at("linear.bias").dtype == io::dtype_of<Saved>);
  CHECK(file.metadata() == io::Metadata{{"aila.description", "0000000000abcdef"}, {"note", "text"}});
}

TEST_CASE("a tensor of another shape is named with both shapes") {
  TemporaryFolder folder;
  auto other = table;
  other[0].extents = {3, 4};
  save<float>(folder / "w.safetensors", other);
  CHECK(refusal(folder) == "w.safetensors: stack.0.core.weight_ih has shape [3, 4], the network needs [4, 3]");
  other[0].extents = {12};
  other[0].rank = 1;
  save<float>(folder / "w.safetensors", other);
  CHECK(refusal(folder) == "w.safetensors: stack.0.core.weight_ih has shape [12], the network needs [4, 3]");
}

TEST_CASE("tensors that the file or the network lacks are named") {
  TemporaryFolder folder;
  save<float>(folder / "w.safetensors", {table[0]});
  CHECK(refusal(folder) == "w.safetensors: there is no tensor linear.bias, which the network needs");
  auto more = table;
  more.push_back({"extra", {2}, 1, 16, 2});
  save<float>(folder / "w.safetensors", more);
  CHECK(refusal(folder) == "w.safetensors: the network has no tensor extra, which the file has");
}

TEST_CASE("like tensors of another network are told by the description, where the file has one") {
  TemporaryFolder folder;
  save<float>(folder / "w.safetensors");
  CHECK(refusal(folder, 7) ==
        "w.safetensors: the weights are of another network, description 0000000000abcdef, this network has "
        "0000000000000007");
  const auto file = io::SafetensorsFile::read(folder / "w.safetensors");
  io::write_safetensors(folder / "w.safetensors", file.tensors());
  CHECK(refusal(folder, 7) == "");
}

TEST_CASE("tensors that are not of floating-point numbers are refused") {
  TemporaryFolder folder;
  const std::vector<float> bits(17);
  const auto bytes = std::as_bytes(std::span(bits));
  io::write_safetensors(folder / "w.safetensors",
                        std::vector<io::TensorEntry>{{"stack.0.core.weight_ih", "I32", {4, 3}, bytes.first(48)},
                                                     {"linear.bias", "F32", {5}, bytes.last(20)}});
  CHECK(refusal(folder) ==
        "w.safetensors: stack.0.core.weight_ih has numbers of type I32, expected F16, BF16, F32 or F64");
}

namespace {

/// A file as PyTorch's programs write it: the two tensors of the table, in half precision, and `more`.
void write_halves(const std::filesystem::path& path, std::vector<io::TensorEntry> more,
                  const char* bias = "linear.bias", const io::Metadata& metadata = {{"format", "pt"}}) {
  std::vector<std::uint16_t> halves(17);
  for (std::size_t i = 0; i < 12; ++i)
    halves[i] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(i) / 8 + 1) >> 16U);
  for (std::size_t i = 0; i < 5; ++i) halves[12 + i] = static_cast<std::uint16_t>(0x3C00 + 0x80 * i);
  const auto bytes = std::as_bytes(std::span(halves));
  more.push_back({"stack.0.core.weight_ih", "BF16", {4, 3}, bytes.first(24)});
  more.push_back({bias, "F16", {5}, bytes.last(10)});
  io::write_safetensors(path, more, metadata);
}

}  // namespace

TEST_CASE("weights of half precision are read, and PyTorch's counts of batches passed over") {
  TemporaryFolder folder;
  const std::vector<std::int64_t> count{7};
  const auto bytes = std::as_bytes(std::span(count));
  write_halves(folder / "w.safetensors",
               {{"bn.num_batches_tracked", "I64", {}, bytes}, {"num_batches_tracked", "I32", {1}, bytes.first(4)}});
  CHECK(io::load_parameters<float>(folder / "w.safetensors", table, 7, 32) == numbers<float>());
  CHECK(io::load_parameters<double>(folder / "w.safetensors", table, 7, 32) == numbers<double>());
  const auto refused = [&](const char* name, const char* dtype, std::size_t size) {
    write_halves(folder / "w.safetensors", {{name, dtype, {}, bytes.first(size)}});
    return refusal(folder) == "w.safetensors: the network has no tensor " + std::string(name) + ", which the file has";
  };
  CHECK(refused("bn.num_batches_tracked", "F64", 8));
  CHECK(refused("bn.not_num_batches_tracked", "I64", 8));
  CHECK(refused("position_ids", "I64", 8));
  CHECK(refused("mask", "BOOL", 1));
  CHECK(refused("left_over.weight", "F16", 2));
}

TEST_CASE("what no network can ask for does not hinder the rest of a file") {
  TemporaryFolder folder;
  const std::vector<std::int64_t> numbers_of_eight{7};
  const auto bytes = std::as_bytes(std::span(numbers_of_eight));
  for (const char* dtype : {"F8_E8M0", "F8_E4M3", "F8_E5M2", "F4", "F6_E2M3", "C64"}) {
    CAPTURE(dtype);
    const std::size_t size = (io::dtype_bits(dtype) + 7) / 8;
    write_halves(folder / "w.safetensors", {{"linear.weight_scale", dtype, {}, bytes.first(size)}});
    CHECK(io::load_parameters<float>(folder / "w.safetensors", table, 7, 32) == numbers<float>());
  }
}

TEST_CASE(
    "tied weights of PyTorch are read where the metadata tell their other name, and explained where they do not") {
  TemporaryFolder folder;
  write_halves(folder / "w.safetensors", {}, "head.bias", {{"format", "pt"}, {"linear.bias", "head.bias"}});
  CHECK(io::load_parameters<float>(folder / "w.safetensors", table, 7, 32) == numbers<float>());
  const std::string help =
      "w.safetensors: there is no tensor linear.bias, which the network needs; PyTorch's tied (shared) weights are in "
      "a "
      "file once, under one of their names";
  write_halves(folder / "w.safetensors", {}, "head.bias", {{"format", "pt"}, {"linear.bias", "tail.bias"}});
  CHECK(refusal(folder) == help);
  write_halves(folder / "w.safetensors", {}, "head.bias");
  CHECK(refusal(folder) == help);
}
