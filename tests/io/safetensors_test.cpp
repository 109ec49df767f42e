// Writing and reading safetensors files.
#include <doctest/doctest.h>

#include <aila/io/safetensors.hpp>
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "temporary_folder.hpp"

using namespace aila;
using namespace aila_test;

static_assert(io::dtype_bytes("F32") == 4 && io::dtype_bytes("F64") == 8 && io::dtype_bytes("BF16") == 2);
static_assert(io::dtype_bytes("f32") == 0 && io::dtype_bytes("") == 0);
static_assert(io::dtype_bits("F4") == 4 && io::dtype_bits("F6_E3M2") == 6 && io::dtype_bits("F8_E8M0") == 8);
static_assert(io::dtype_bits("C64") == 64 && io::dtype_bits("F128") == 0 && io::dtype_bytes("F4") == 0);
static_assert(io::tensor_bytes(std::array<std::size_t, 1>{3}, "F4") == 2, "12 bits");
static_assert(io::tensor_bytes(std::array<std::size_t, 2>{2, 4}, "F6_E2M3") == 6);
static_assert(io::tensor_bytes(std::array<std::size_t, 1>{1}, "F6_E2M3") == 1);
static_assert(io::tensor_bytes(std::array<std::size_t, 1>{~std::size_t{0}}, "F4") == std::size_t{1} << 63U);
static_assert(io::tensor_bytes(std::array<std::size_t, 2>{3, 5}, "F64") == 120);
static_assert(!io::tensor_bytes(std::array<std::size_t, 1>{1}, "F128"));
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
  CHECK(error_of([&] { file.as<float>("a"); }) ==
        "w.safetensors: a has numbers of type U8, expected F16, BF16, F32 or F64");
}

TEST_CASE("the tensors of the format's own writer in Python are read, of half precision among them") {
  TemporaryFolder folder;
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"BF16","shape":[3],"data_offsets":[8,14]},"h":{"dtype":"F16","shape":[6],"data_offsets":[14,26]},)"
      R"("e":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[26,29]}}   )";
  REQUIRE(header.size() == 256);
  write_raw(folder / "w.safetensors", std::string("\0\1\0\0\0\0\0\0", 8) + header +
                                          std::string("\x07\0\0\0\0\0\0\0\xC0\x3F\x62\x7F\x01\0", 14) +
                                          std::string("\0>\0\xC0\xFF\x7B\x01\0\0\x7C\0\x80\1\2\3", 15));
  const auto file = io::SafetensorsFile::read(folder / "w.safetensors");
  CHECK(file.as<float>("b") == std::vector{1.5F, 0x1.C4p127F, 0x1p-133F});
  constexpr float infinity = std::numeric_limits<float>::infinity();
  CHECK(file.as<float>("h") == std::vector{1.5F, -2.0F, 65504.0F, 0x1p-24F, infinity, 0.0F});
  CHECK(std::signbit(file.as<double>("h")[5]));
  CHECK(file.at("n").data[0] == std::byte{7});
  CHECK(error_of([&] { file.as<float>("e"); }) ==
        "w.safetensors: e has numbers of type F8_E4M3, expected F16, BF16, F32 or F64");
}

TEST_CASE("every number of half precision is read exactly, in float and in double") {
  std::vector<std::uint16_t> bits(65536);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i);
  for (const auto& [dtype, fraction_bits, bias] : {std::tuple{"F16", 10, 15}, std::tuple{"BF16", 7, 127}}) {
    CAPTURE(dtype);
    const io::TensorEntry entry{"x", dtype, {bits.size()}, std::as_bytes(std::span(bits))};
    const auto single = io::as<float>(entry);
    const auto twice = io::as<double>(entry);
    const int scale = 1 << fraction_bits, exponents = 1 << (15 - fraction_bits);
    std::size_t wrong = 0, nan = 0;
    for (int i = 0; i < 65536; ++i) {
      const int fraction = i % scale, exponent = i / scale % exponents;
      double value = exponent == 0 ? std::ldexp(fraction, 1 - bias - fraction_bits)
                                   : std::ldexp(scale + fraction, exponent - bias - fraction_bits);
      if (exponent == exponents - 1)
        value = fraction == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
      if (i >= 32768) value = -value;
      const auto at = static_cast<std::size_t>(i);
      const bool is_nan = std::isnan(value);
      nan += is_nan ? 1 : 0;
      const bool same = is_nan ? std::isnan(twice[at]) && std::isnan(single[at])
                               : std::bit_cast<std::uint64_t>(twice[at]) == std::bit_cast<std::uint64_t>(value) &&
                                     static_cast<double>(single[at]) == value &&
                                     std::signbit(single[at]) == std::signbit(value);
      wrong += same ? 0 : 1;
    }
    CHECK(wrong == 0);
    CHECK(nan == 2 * static_cast<std::size_t>(scale - 1));
  }
}

TEST_CASE("a type that nobody asks for does not hinder the rest, and one that is asked for is named") {
  TemporaryFolder folder;
  const auto read = [&](const std::string& dtype, const std::string& shape, std::size_t bytes) {
    const std::string end = std::to_string(bytes);
    const std::string header = R"({"q":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":[0,)" + end +
                               R"(]},"x":{"dtype":"F32","shape":[1],"data_offsets":[)" + end + "," +
                               std::to_string(bytes + 4) + "]}}";
    std::string prefix(8, '\0');
    prefix[0] = static_cast<char>(header.size());
    write_raw(folder / "w.safetensors", prefix + header + std::string(bytes, '\1') + std::string("\0\0\x80\x3F", 4));
    return io::SafetensorsFile::read(folder / "w.safetensors");
  };
  for (const auto& [dtype, shape, bytes] :
       {std::tuple{"F4", "[2,4]", 4}, std::tuple{"F4", "[3]", 2}, std::tuple{"F6_E2M3", "[4]", 3},
        std::tuple{"F6_E3M2", "[3]", 3}, std::tuple{"F8_E8M0", "[3]", 3}, std::tuple{"F8_E4M3", "[3]", 3},
        std::tuple{"F8_E5M2", "[3]", 3}, std::tuple{"C64", "[2]", 16}, std::tuple{"BOOL", "[]", 1},
        std::tuple{"I64", "[1]", 8}, std::tuple{"U8", "[0]", 0}, std::tuple{"F128", "[1]", 16},
        std::tuple{"Q3_K", "[999999999999,99999999999]", 5}}) {
    CAPTURE(dtype);
    const auto file = read(dtype, shape, static_cast<std::size_t>(bytes));
    CHECK(file.as<float>("x") == std::vector{1.0F});
    CHECK(file.at("q").dtype == dtype);
    CHECK(file.at("q").data.size() == static_cast<std::size_t>(bytes));
    CHECK(error_of([&] { file.as<double>("q"); }) ==
          "w.safetensors: q has numbers of type " + std::string(dtype) + ", expected F16, BF16, F32 or F64");
  }
}

TEST_CASE("numbers of any known type are written and read back, however their bytes lie") {
  TemporaryFolder folder;
  const std::vector<std::uint16_t> halves{0x3C00, 0x0001, 0x8000};
  const std::vector<std::byte> three(3, std::byte{9});
  const std::string odd = "a \"b\"\\c\td/\xD0\xBA";
  io::write_safetensors(folder / "w.safetensors",
                        std::vector<io::TensorEntry>{{"q", "F6_E2M3", {4}, three},
                                                     {"h", "F16", {3}, std::as_bytes(std::span(halves))},
                                                     io::tensor_entry<double>(odd, {2}, doubles)});
  const auto file = io::SafetensorsFile::read(folder / "w.safetensors");
  CHECK(std::ranges::equal(file.at("q").data, three));
  CHECK(file.as<float>("h") == std::vector{1.0F, 0x1p-24F, -0.0F});
  CHECK(file.as<double>(odd) == doubles);
}

TEST_CASE("a header may be as short as {}, padded with spaces, and say that there are no metadata") {
  for (const std::string header : {"{}", "{}      ", R"({"__metadata__":null})", R"({"__metadata__":{}})"}) {
    std::string bytes(8, '\0');
    bytes[0] = static_cast<char>(header.size());
    const auto file = io::SafetensorsFile::parse(std::as_bytes(std::span(bytes += header)), "w");
    CHECK(file.tensors().empty());
    CHECK(file.metadata().empty());
  }
}

TEST_CASE("a double too large for float is refused, infinities are kept, and all else is rounded") {
  TemporaryFolder folder;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> kept{-infinity,       1.0,    0.1,       0x1.FFFFFEp127,
                                 0x1.FFFFFEFp127, 1e-300, -0x1p-149, std::numeric_limits<double>::quiet_NaN()};
  io::write_safetensors(folder / "w.safetensors", std::vector{io::tensor_entry<double>("large", {2}, doubles),
                                                              io::tensor_entry<double>("kept", {8}, kept)});
  const auto file = io::SafetensorsFile::read(folder / "w.safetensors");
  CHECK(error_of([&] { file.as<float>("large"); }) ==
        "w.safetensors: large holds a number that is too large for float");
  const auto rounded = file.as<float>("kept");
  CHECK(std::vector(rounded.begin(), rounded.end() - 1) == std::vector{-std::numeric_limits<float>::infinity(), 1.0F,
                                                                       0.1F, 0x1.FFFFFEp127F, 0x1.FFFFFEp127F, 0.0F,
                                                                       -0x1p-149F});
  CHECK(std::isnan(rounded[7]));
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
