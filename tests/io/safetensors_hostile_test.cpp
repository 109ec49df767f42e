// Files that are no safetensors files: one clear sentence each, never a crash.
#include <doctest/doctest.h>

#include <aila/io/safetensors.hpp>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "temporary_folder.hpp"

using namespace aila;
using namespace aila_test;

namespace {

std::string length_prefix(std::uint64_t length) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes;
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  return length_prefix(header.size()) + header + std::string(data_bytes, '\1');
}

/// The sentence about a file with these bytes, without the file's name and ": ", which must be there.
std::string refusal(const std::string& bytes) {
  TemporaryFolder folder;
  write_raw(folder / "w.safetensors", bytes);
  const auto message = error_of([&] { io::SafetensorsFile::read(folder / "w.safetensors"); });
  if (message.empty()) return "read";
  if (!message.starts_with("w.safetensors: ") || message.find('\n') != std::string::npos || message.size() > 400)
    return "no clear sentence: " + message;
  return message.substr(15);
}

std::string tensor(const std::string& fields) {
  return R"({"x":{)" + fields + "}}";
}

}  // namespace

TEST_CASE("missing files, folders and files that are too short are told apart") {
  TemporaryFolder folder;
  const auto read = [](const std::filesystem::path& path) {
    return error_of([&] { io::SafetensorsFile::read(path); });
  };
  CHECK(read(folder / "w.safetensors") ==
        "w.safetensors: there is no such file in the folder " + folder.path().string());
  CHECK(read(folder.path()) == folder.path().filename().string() + ": expected a file, found a folder");
  CHECK(refusal("") == "the file is empty");
  CHECK(refusal("1234567") == "the file has 7 bytes, a safetensors file 8 or more");
}

TEST_CASE("the length of the header is checked before memory is asked for") {
  CHECK(refusal(length_prefix(100) + "{}") == "the header has 100 bytes, after its length the file has only 2");
  CHECK(refusal(length_prefix(100'000'001) + "{}") == "the header has 100000001 bytes, at most 100000000 are allowed");
  CHECK(refusal(length_prefix(~std::uint64_t{0}) + "{}") ==
        "the header has 18446744073709551615 bytes, at most 100000000 are allowed");
  CHECK(refusal(length_prefix(3) + "{}") == "the header has 3 bytes, after its length the file has only 2");
}

TEST_CASE("a header that is not one JSON object is refused") {
  CHECK(refusal(length_prefix(0)) == "the header does not begin with {, so this is no safetensors file");
  CHECK(refusal(file_of("[]", 0)) == "the header does not begin with {, so this is no safetensors file");
  CHECK(refusal(file_of(" {}", 0)) == "the header does not begin with {, so this is no safetensors file");
  CHECK(refusal(file_of("{", 0)) == "the header is not valid JSON at its byte 2");
  CHECK(refusal(file_of("{}x", 0)) == "the header is not valid JSON at its byte 3");
  CHECK(refusal(file_of("{\"\xFF\":{}}", 0)) == "the header is not valid JSON at its byte 3");
  CHECK(refusal(file_of(R"({"a":1e999})", 0)).starts_with("the header is not valid JSON at its byte "));
  CHECK(refusal(file_of(std::string("{}\0\0", 4), 0)) == "the header has a NUL byte in it");
  CHECK(refusal(file_of(R"({"a\u0000b":{}})", 0)) == "the header has a name with a NUL in it");
}

TEST_CASE("nesting is refused where it begins, however deep it is") {
  const std::string deep = "{\"x\":" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}";
  CHECK(refusal(file_of(deep, 0)) == "the header has an entry that is no JSON object, x");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"x\":";
  CHECK(refusal(file_of(objects, 0)) == "the tensor x has an unknown field, x");
  CHECK(refusal(file_of(tensor(R"("shape":[[1]])"), 0)) ==
        "the tensor x has a shape that is not a list of whole numbers");
  CHECK(refusal(file_of(R"({"__metadata__":{"a":{}}})", 0)) == "the metadata value of a is not a string");
}

TEST_CASE("names that are there twice are refused") {
  const std::string x = R"("x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  CHECK(refusal(file_of("{" + x + "," + x + "}", 4)) == "there are two tensors x");
  CHECK(refusal(file_of(R"({"__metadata__":{},"__metadata__":{}})", 0)) == "the header has __metadata__ twice");
  CHECK(refusal(file_of(R"({"__metadata__":{"a":"1","a":"2"}})", 0)) == "the metadata have the key a twice");
  CHECK(refusal(file_of(tensor(R"("dtype":"F32","dtype":"F64")"), 4)) == "the tensor x has its dtype twice");
  CHECK(refusal(file_of(tensor(R"("shape":[],"shape":[1])"), 4)) == "the tensor x has its shape twice");
  CHECK(refusal(file_of(tensor(R"("data_offsets":[],"data_offsets":[0,4])"), 4)) ==
        "the tensor x has its data_offsets twice");
}

TEST_CASE("fields that are missing, unknown or of the wrong kind are refused") {
  const std::string lacks = "the tensor x lacks its dtype, its shape or its two data_offsets";
  CHECK(refusal(file_of(tensor(""), 0)) == lacks);
  CHECK(refusal(file_of(tensor(R"("dtype":"F32","shape":[1])"), 4)) == lacks);
  CHECK(refusal(file_of(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0])"), 4)) == lacks);
  CHECK(refusal(file_of(tensor(R"("dtype":"F32","data_offsets":[0,4])"), 4)) == lacks);
  CHECK(refusal(file_of(tensor(R"("colour":1)"), 0)) == "the tensor x has an unknown field, colour");
  CHECK(refusal(file_of(R"({"__metadata__":{"a":1}})", 0)) == "the metadata value of a is not a string");
  CHECK(refusal(file_of(R"({"__metadata__":{"a":null}})", 0)) == "the metadata value of a is not a string");
  CHECK(refusal(file_of(R"({"x":null})", 0)) == "the header has an entry that is no JSON object, x");
  CHECK(refusal(file_of(R"({"__metadata__":null,"__metadata__":{}})", 0)) == "the header has __metadata__ twice");
  CHECK(refusal(file_of(R"({"__metadata__":["a"]})", 0)) ==
        "the header has an entry that is no JSON object, __metadata__");
  CHECK(refusal(file_of(R"({"x":"F32"})", 0)) == "the header has an entry that is no JSON object, x");
  CHECK(refusal(file_of(tensor(R"("dtype":32)"), 0)) == "the tensor x has a dtype of the wrong kind");
  CHECK(refusal(file_of(tensor(R"("shape":{"a":1})"), 0)) == "the tensor x has a shape of the wrong kind");
  const std::string no_list = "the tensor x has a shape that is not a list of whole numbers";
  for (const char* value : {"-1", "1.0", "1e2", "true", "null", "\"1\"", "18446744073709551616"})
    CHECK(refusal(file_of(tensor("\"shape\":[" + std::string(value) + "]"), 0)) == no_list);
  const std::string no_offsets = "the tensor x has data_offsets that are not two whole numbers";
  for (const char* value : {"0,4,4", "0,-4", "0,4.0", "[0,4]", "\"0\""})
    CHECK(refusal(file_of(tensor("\"data_offsets\":[" + std::string(value) + "]"), 4)) == no_offsets);
}

TEST_CASE("bytes that do not fit the shapes are refused") {
  const auto with = [](const std::string& shape, const std::string& offsets, std::size_t bytes) {
    return refusal(file_of(tensor(R"("dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets), bytes));
  };
  CHECK(with("[2]", "[0,8]", 4) == "the tensor x ends at byte 8 of the data, the file has only 4");
  CHECK(with("[2]", "[8,0]", 8) == "the tensor x ends at byte 0, before its begin");
  CHECK(with("[3]", "[0,8]", 8) ==
        "the tensor x of shape [3] and dtype F32 needs 12 bytes, its data_offsets give it 8");
  CHECK(with("[1]", "[4294967296,4294967300]", 4) ==
        "the tensor x ends at byte 4294967300 of the data, the file has only 4");
  CHECK(with("[2]", "[0,18446744073709551615]", 8).starts_with("the tensor x ends at byte 18446744073709551615"));
  CHECK(with("[4294967296,4294967296]", "[0,0]", 0) ==
        "the tensor x has the impossible shape [4294967296, 4294967296]");
  CHECK(with("[4611686018427387904]", "[0,0]", 0) == "the tensor x has the impossible shape [4611686018427387904]");
  CHECK(with("[2]", "[4,12]", 12) == "the tensor x begins at byte 4, with a hole before it");
  CHECK(with("[2]", "[0,8]", 9) == "the tensors have 8 bytes, the file has 9");
  CHECK(refusal(file_of("{}", 1)) == "the tensors have 0 bytes, the file has 1");
  std::string many = "[1";
  for (int i = 0; i < 64; ++i) many += ",1";
  CHECK(with(many + "]", "[0,4]", 4) == "the tensor x has more than 64 extents");
}

TEST_CASE("tensors that share bytes or leave some out are refused") {
  const auto pair = [](const std::string& first, const std::string& second, std::size_t bytes) {
    return refusal(file_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + first +
                               R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}",
                           bytes));
  };
  CHECK(pair("[0,4]", "[2,6]", 6) == "the tensor b begins at byte 2, inside the tensor before it");
  CHECK(pair("[0,4]", "[0,4]", 4) == "the tensor b begins at byte 0, inside the tensor before it");
  CHECK(pair("[0,4]", "[5,9]", 9) == "the tensor b begins at byte 5, with a hole before it");
  CHECK(pair("[5,9]", "[0,4]", 9) == "the tensor a begins at byte 5, with a hole before it");
}

TEST_CASE("bytes of a type that is not known are held to the file, and sizes of less than a byte to whole bytes") {
  const auto with = [](const std::string& dtype, const std::string& offsets, std::size_t bytes) {
    return refusal(file_of(R"({"a":{"dtype":")" + dtype + R"(","shape":[3],"data_offsets":)" + offsets +
                               R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
                           bytes));
  };
  CHECK(with("F33", "[4,8]", 8) == "read");
  CHECK(with("F33", "[4,9]", 8) == "the tensor a ends at byte 9 of the data, the file has only 8");
  CHECK(with("F33", "[8,4]", 8) == "the tensor a ends at byte 4, before its begin");
  CHECK(with("F33", "[2,8]", 8) == "the tensor a begins at byte 2, inside the tensor before it");
  CHECK(with("F33", "[5,8]", 8) == "the tensor a begins at byte 5, with a hole before it");
  CHECK(with("F33", "[4,7]", 8) == "the tensors have 7 bytes, the file has 8");
  CHECK(with("F4", "[4,6]", 6) == "read");
  CHECK(with("F4", "[4,7]", 7) == "the tensor a of shape [3] and dtype F4 needs 2 bytes, its data_offsets give it 3");
  CHECK(with("F6_E3M2", "[4,6]", 6) ==
        "the tensor a of shape [3] and dtype F6_E3M2 needs 3 bytes, its data_offsets give it 2");
  CHECK(with("C64", "[4,8]", 8) ==
        "the tensor a of shape [3] and dtype C64 needs 24 bytes, its data_offsets give it 4");
  CHECK(refusal(file_of(tensor(R"("dtype":"F4","shape":[4294967296,4294967296],"data_offsets":[0,0])"), 0)) ==
        "the tensor x has the impossible shape [4294967296, 4294967296]");
}

TEST_CASE("a hostile name does not reach the message as it is") {
  const std::string name = std::string(10'000, 'n');
  CHECK(refusal(file_of("{\"" + name + R"(":{"dtype":"no\nsuch"}})", 0)) ==
        "the tensor " + name.substr(0, 80) + "... lacks its dtype, its shape or its two data_offsets");
  const auto file = file_of(tensor(R"("dtype":"no\nsuch","shape":[],"data_offsets":[0,4])"), 4);
  const auto read = io::SafetensorsFile::parse(std::as_bytes(std::span(file)), "w");
  CHECK(error_of([&] { read.as<float>("x"); }) == "w: x has numbers of type no?such, expected F16, BF16, F32 or F64");
}

TEST_CASE("every truncation, and every change of one byte, is read or refused in one sentence") {
  TemporaryFolder folder;
  const std::vector<float> values{1, 2, 3};
  io::write_safetensors(
      folder / "w.safetensors",
      std::vector{io::tensor_entry<float>("a", {3}, values), io::tensor_entry<float>("b", {1, 3}, values)},
      {{"key", "value"}});
  const auto whole = read_raw(folder / "w.safetensors");
  REQUIRE(whole.size() > 150);
  const auto fine = [&](const std::string& bytes) {
    write_raw(folder / "w.safetensors", bytes);
    const auto message = error_of([&] { io::SafetensorsFile::read(folder / "w.safetensors"); });
    if (message.empty()) return 1;
    return message.starts_with("w.safetensors: ") && message.find('\n') == std::string::npos ? 0 : -1;
  };
  for (std::size_t n = 0; n < whole.size(); ++n) CHECK(fine(whole.substr(0, n)) == 0);
  int read = 0;
  for (std::size_t n = 0; n < whole.size(); ++n)
    for (const char c :
         {'\0', '"', '{', '}', '[', ']', '9', '0', ',', '\x80', '\xFF', static_cast<char>(whole[n] ^ 1)}) {
      auto bytes = whole;
      bytes[n] = c;
      const int result = fine(bytes);
      CHECK(result >= 0);
      read += result;
    }
  CHECK(read > 24 * 12 - 1);  // the data bytes may have any value
  CHECK(read < static_cast<int>(whole.size()) * 6);
}
