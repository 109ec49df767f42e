// Writing and reading safetensors files.
#include <doctest/doctest.h>

#include <aila/io/safetensors.hpp>
#include <array>
#include <limits>
#include <string>
#include <vector>

#include "temporary_folder.hpp"

using namespace aila;
using namespace aila_test;

static_assert(io::dtype_bytes("F32") == 4 && io::dtype_bytes("F64") == 8 && io::dtype_bytes("BF16") == 2);
static_assert(io::dtype_bytes("f32") == 0 && io::dtype_bytes("") == 0);
static_assert(io::tensor_bytes(std::array<std::size_t, 2>{3, 5}, 4) == 60);
static_assert(io::tensor_bytes(std::span<const std::size_t>{}, 8) == 8);
static_assert(io::tensor_bytes(std::array<std::size_t, 2>{0, ~std::size_t{0}}, 8) == 0);
static_assert(!io::tensor_bytes(std::array<std::size_t, 2>{~std::size_t{0}, 2}, 1));

namespace {
const std::vector<float> floats{1.5F, -2.0F, 0.0F, 3.25F, 4.0F, 5.0F};
const std::vector<double> doubles{0.1, -1e300};

std::vector<io::TensorEntry> two_tensors() {
  return {io::tensor_entry<float>("z", {2, 3}, floats), io::tensor_entry<double>("a", {2}, doubles)};
}
}  // namespace

TEST_CASE("a written file has exactly the bytes that the format asks for") {
  TemporaryFolder folder;
  const std::vector<float> one{1.0F};
  io::write_safetensors(folder / "w.safetensors", std::vector{io::tensor_entry<float>("x", {1}, one)}, {{"k", "v\""}});
  const std::string header = R"({"__metadata__":{"k":"v\""},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  std::string expected(8, '\0');
  expected[0] = static_cast<char>(header.size() + padding.size());
  expected += header + padding + std::string("\x00\x00\x80\x3F", 4);
  CHECK(read_raw(folder / "w.safetensors") == expected);
  CHECK(folder.files() == 1);
}

TEST_CASE("what was written is read back: names in order, shapes, numbers and metadata") {
  TemporaryFolder folder;
  io::write_safetensors(folder / "w.safetensors", two_tensors(), {{"aila.description", "12"}, {"ключ", "значение"}});
  const auto file = io::SafetensorsFile::read(folder / "w.safetensors");
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.name() == "w.safetensors");
  CHECK(file.tensors()[0].name == "z");
  CHECK(file.tensors()[1].name == "a");
  CHECK(file.at("z").shape == std::vector<std::size_t>{2, 3});
  CHECK(file.at("z").dtype == "F32");
  CHECK(file.at("a").dtype == "F64");
  CHECK(file.as<float>("z") == floats);
  CHECK(file.as<double>("a") == doubles);
  CHECK(file.as<double>("z") == std::vector<double>(floats.begin(), floats.end()));
  CHECK(file.metadata().at("aila.description") == "12");
  CHECK(file.metadata().at("ключ") == "значение");
  CHECK(file.find("y") == nullptr);
  CHECK(error_of([&] { file.at("y"); }) == "w.safetensors: there is no tensor y");
}

TEST_CASE("entries outlive the file object they were read by, as long as a copy of it") {
  TemporaryFolder folder;
  io::write_safetensors(folder / "w.safetensors", two_tensors());
  auto first = std::make_unique<io::SafetensorsFile>(io::SafetensorsFile::read(folder / "w.safetensors"));
  const io::SafetensorsFile copy = *first;
  first.reset();
  CHECK(copy.as<float>("z") == floats);
}

TEST_CASE("a file without tensors, scalars and empty tensors are legal") {
  TemporaryFolder folder;
  io::write_safetensors(folder / "none.safetensors", {});
  CHECK(io::SafetensorsFile::read(folder / "none.safetensors").tensors().empty());
  const std::vector<float> one{7.0F};
  const std::vector entries{io::tensor_entry<float>("empty", {0, 5}, {}), io::tensor_entry<float>("scalar", {}, one),
                            io::tensor_entry<float>("end", {3, 0}, {})};
  io::write_safetensors(folder / "some.safetensors", entries);
  const auto file = io::SafetensorsFile::read(folder / "some.safetensors");
  CHECK(file.as<float>("empty").empty());
  CHECK(file.as<float>("scalar") == one);
  CHECK(file.at("scalar").shape.empty());
}

TEST_CASE("tensors may stand in the header in another order than their data, and data may be unaligned") {
  TemporaryFolder folder;
  std::string header =
      R"({"b":{"data_offsets":[1,9],"shape":[],"dtype":"F64"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  bytes += header + "\x05" + std::string("\x00\x00\x00\x00\x00\x00\xF0\x3F", 8);
  write_raw(folder / "w.safetensors", bytes);
  const auto file = io::SafetensorsFile::read(folder / "w.safetensors");
  CHECK(file.as<double>("b") == std::vector{1.0});
  CHECK(file.tensors()[0].name == "b");
  CHECK(file.at("a").data[0] == std::byte{5});
  CHECK(error_of([&] { file.as<float>("a"); }) == "w.safetensors: a has numbers of type U8, expected F32 or F64");
}

TEST_CASE("a double too large for float is refused, infinities are kept") {
  TemporaryFolder folder;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> kept{-infinity, 1.0};
  io::write_safetensors(folder / "w.safetensors", std::vector{io::tensor_entry<double>("large", {2}, doubles),
                                                              io::tensor_entry<double>("kept", {2}, kept)});
  const auto file = io::SafetensorsFile::read(folder / "w.safetensors");
  CHECK(error_of([&] { file.as<float>("large"); }) ==
        "w.safetensors: large holds a number that is too large for float");
  CHECK(file.as<float>("kept")[0] == -std::numeric_limits<float>::infinity());
}

TEST_CASE("the writer refuses entries that would make no legal file, and writes nothing") {
  TemporaryFolder folder;
  const auto write = [&](std::vector<io::TensorEntry> entries,
                         const std::map<std::string, std::string>& metadata = {}) {
    return error_of([&] { io::write_safetensors(folder / "w.safetensors", entries, metadata); });
  };
  const auto x = io::tensor_entry<float>("x", {2, 3}, floats);
  auto wrong = x;
  wrong.shape = {7};
  CHECK(write({wrong}) == "w.safetensors: the tensor x of shape [7] and dtype F32 is given 24 bytes");
  wrong.shape = {std::numeric_limits<std::size_t>::max(), 8};
  CHECK(write({wrong}).starts_with("w.safetensors: the tensor x of shape "));
  wrong.dtype = "float";
  CHECK(write({wrong}) == "w.safetensors: the tensor x has the unknown dtype float");
  CHECK(write({x, x}) == "w.safetensors: the tensor x is given twice, or its name is reserved");
  CHECK(write({io::tensor_entry<float>("__metadata__", {2, 3}, floats)}).ends_with("or its name is reserved"));
  CHECK(write({io::tensor_entry<float>("\xFF", {2, 3}, floats)}).ends_with("it has a NUL in it or is not UTF-8"));
  CHECK(write({x}, {{std::string("a\0b", 3), ""}}).ends_with("it has a NUL in it or is not UTF-8"));
  CHECK(folder.files() == 0);
  CHECK(error_of([&] {
          io::write_safetensors(folder / "none" / "w.safetensors", std::vector{x});
        }).starts_with("w.safetensors: there is no folder "));
}
