// Images from the files of CIFAR-10 and of MNIST's family, and what is wrong with them.
#include <doctest/doctest.h>

#include <aila/data/cifar10.hpp>
#include <aila/data/mnist.hpp>
#include <string>
#include <vector>

#include "../gzip_of.hpp"
#include "../io/temporary_folder.hpp"

using namespace aila::data;
using namespace aila_test;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// A record whose pixel values tell channel and place.
std::string cifar_record(int label) {
  std::string record(1, static_cast<char>(label));
  for (int c = 0; c < 3; ++c)
    for (int p = 0; p < 1024; ++p) record += static_cast<char>((p % 80) * 3 + c);
  return record;
}

std::string idx(std::vector<unsigned> extents, const std::string& values) {
  std::string file("\0\0\x08", 3);
  file += static_cast<char>(extents.size());
  for (const unsigned extent : extents)
    for (const int shift : {24, 16, 8, 0}) file += static_cast<char>(extent >> shift & 0xFFU);
  return file + values;
}

std::string unpacked(const std::string& packed, std::size_t limit = 1U << 30U) {
  const auto bytes = gunzip(bytes_of(packed), "f.gz", limit);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string cifar_refusal(const std::string& text, std::size_t records = 0) {
  auto images = no_cifar10_images();
  return error_of([&] { parse_cifar10(bytes_of(text), "c.bin", images, records); });
}

std::string idx_refusal(const std::string& text) {
  return error_of([&] { parse_idx(bytes_of(text), "i"); });
}

}  // namespace

TEST_CASE("records of CIFAR-10 become pixels of three channels") {
  auto images = no_cifar10_images();
  parse_cifar10(bytes_of(cifar_record(3) + cifar_record(9)), "c.bin", images);
  parse_cifar10(bytes_of(cifar_record(0)), "c.bin", images);
  CHECK(images.size() == 3);
  CHECK(images.labels == std::vector<Label>{3, 9, 0});
  CHECK(images.classes[3] == "cat");
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t p = 0; p < 1024; ++p)
      for (std::size_t c = 0; c < 3; ++c)
        if (images.image(i)[p * 3 + c] != p % 80 * 3 + c) FAIL_CHECK("image ", i, " pixel ", p, " channel ", c);
  images.check();
}

TEST_CASE("files of CIFAR-10 that are cut, empty or of another kind are refused in one sentence") {
  CHECK(cifar_refusal("") == "c.bin: expected records of 3073 bytes, found 0 bytes in all");
  CHECK(cifar_refusal(cifar_record(1).substr(1)) == "c.bin: expected records of 3073 bytes, found 3072 bytes in all");
  CHECK(cifar_refusal(cifar_record(1), 2) == "c.bin: expected 2 records of 3073 bytes, 6146 in all, found 3073");
  CHECK(cifar_refusal(cifar_record(1) + cifar_record(10)) == "c.bin: expected labels from 0 to 9, record 1 has 10");
  const TemporaryFolder folder;
  for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                           "data_batch_5.bin", "test_batch.bin"}) {
    CHECK(error_of([&] { read_cifar10(folder.path(), 2); }).starts_with(name));
    write_raw(folder / name, cifar_record(4) + cifar_record(5));
  }
  const auto parts = read_cifar10(folder.path(), 2);
  CHECK(parts.train.size() == 10);
  CHECK(parts.test.size() == 2);
  CHECK(error_of([&] { read_cifar10(folder.path()); }) ==
        "data_batch_1.bin: expected 10000 records of 3073 bytes, 30730000 in all, found 6146");
}

TEST_CASE("arrays of IDX have the shape that their header says") {
  const auto array = parse_idx(bytes_of(idx({2, 1, 3}, "abcdef")), "i");
  CHECK(array.extents == std::vector<std::size_t>{2, 1, 3});
  CHECK(array.values == std::vector<std::uint8_t>{'a', 'b', 'c', 'd', 'e', 'f'});
}

TEST_CASE("files of IDX that are cut, too long, empty or of another kind are refused in one sentence") {
  CHECK(idx_refusal("") == "i: expected an IDX file, which begins with 4 bytes, found 0");
  CHECK(idx_refusal("PK\x03\x04") == "i: expected an IDX file, which begins with two zero bytes, found 80 and 75");
  CHECK(idx_refusal(std::string("\0\0\x0D\1", 4)) == "i: expected unsigned bytes, type 8 of IDX, found type 13");
  CHECK(idx_refusal(std::string("\0\0\x08\0", 4)) == "i: expected an array with at least one axis, found none");
  CHECK(idx_refusal(idx({2, 3}, "").substr(0, 11)) == "i: expected a header of 12 bytes, found 11 in all");
  CHECK(idx_refusal(idx({2, 3}, "abcde")) == "i: expected the bytes of an array of shape [2, 3], found 5");
  CHECK(idx_refusal(idx({2, 3}, "abcdefg")) == "i: expected the bytes of an array of shape [2, 3], found 7");
  CHECK(idx_refusal(idx({0, 3}, "")) == "i: expected the bytes of an array of shape [0, 3], found 0");
  CHECK(idx_refusal(idx({~0U, ~0U, ~0U, ~0U, 0}, "")).ends_with("found 0"));
  CHECK(idx_refusal(idx({~0U, ~0U, ~0U, ~0U}, "x")).ends_with("found 1"));
  CHECK(idx_refusal(idx({1U << 16, 1U << 16, 1U << 16, 1U << 16}, "")).ends_with("found 0"));
}

TEST_CASE("images and labels must fit each other") {
  const auto images = parse_idx(bytes_of(idx({2, 1, 3}, "abcdef")), "i");
  const auto set = images_of(images, parse_idx(bytes_of(idx({2}, std::string("\1\0", 2))), "l"), {"x", "y"});
  CHECK(set.channels == 1);
  CHECK(set.labels == std::vector<Label>{1, 0});
  CHECK(set.image(1)[0] == 'd');
  const auto colours = parse_idx(bytes_of(idx({1, 1, 2, 3}, "abcdef")), "i");
  CHECK(images_of(colours, parse_idx(bytes_of(idx({1}, std::string(1, '\0'))), "l"), {"x"}).channels == 3);
  const auto refusal = [&](const IdxArray& array, std::vector<unsigned> extents, const std::string& labels) {
    return error_of([&] { images_of(array, parse_idx(bytes_of(idx(extents, labels)), "l"), {"x", "y"}); });
  };
  CHECK(refusal(images, {1}, "\1") == "labels: expected one for each of the 2 images, found shape [1]");
  CHECK(refusal(images, {2, 1}, "\1\1") == "labels: expected one for each of the 2 images, found shape [2, 1]");
  CHECK(refusal(images, {2}, "\1\2") == "images: expected labels below 2, image 1 has 2");
  CHECK(refusal(parse_idx(bytes_of(idx({2}, "ab")), "i"), {2}, "\1\1") ==
        "images: expected an array of rank 3 or 4, found shape [2]");
}

TEST_CASE("packed files give what was packed, also in several parts") {
  std::string large;
  for (int i = 0; i < 300000; ++i) large += static_cast<char>(i % 251 * (i % 13));
  CHECK(unpacked(gzip_of(large)) == large);
  CHECK(unpacked(gzip_of("one") + gzip_of("") + gzip_of(" two")) == "one two");
  CHECK(unpacked(gzip_of("")).empty());
  CHECK(unpacked(gzip_of(large), large.size()) == large);
}

TEST_CASE("packed files that are cut off, damaged or too large are refused in one sentence") {
  const std::string packed = gzip_of("the contents of this file, the contents of this file");
  const auto refusal = [](const std::string& file, std::size_t limit = 1000) {
    return error_of([&] { unpacked(file, limit); });
  };
  for (std::size_t bytes = 2; bytes < packed.size(); ++bytes)
    CHECK(refusal(packed.substr(0, bytes)) == "f.gz: the compressed data end too early, so the file was cut off");
  for (const std::size_t at : {std::size_t{12}, packed.size() - 1, packed.size() - 6}) {
    std::string damaged = packed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    CHECK(refusal(damaged).starts_with("f.gz: the compressed data "));
  }
  CHECK(refusal(packed + "x") == "f.gz: expected the end of the file after the compressed data, found other bytes");
  CHECK(refusal(packed, 51) == "f.gz: expected at most 51 bytes when unpacked, found more");
  CHECK(refusal(packed, 52) == "");
  CHECK(refusal("") == "f.gz: expected a gzip file, found other bytes at its beginning");
  CHECK(refusal("abc") == "f.gz: expected a gzip file, found other bytes at its beginning");
}

TEST_CASE("MNIST's family is read from its four files, packed or not") {
  const TemporaryFolder folder;
  const std::vector<std::string> classes{"x", "y"};
  const auto refusal = [&] { return error_of([&] { read_mnist(folder.path(), classes); }); };
  CHECK(refusal().starts_with("train-images-idx3-ubyte.gz: there is no such file"));
  write_raw(folder / "train-images-idx3-ubyte.gz", gzip_of(idx({2, 2, 2}, "abcdefgh")));
  write_raw(folder / "train-labels-idx1-ubyte", idx({2}, std::string("\0\1", 2)));
  write_raw(folder / "t10k-images-idx3-ubyte", gzip_of(idx({1, 2, 2}, "wxyz")));
  write_raw(folder / "t10k-labels-idx1-ubyte.gz", gzip_of(idx({1}, "\1")));
  const auto parts = read_mnist(folder.path(), classes);
  CHECK(parts.train.size() == 2);
  CHECK(parts.train.image(1)[3] == 'h');
  CHECK(parts.test.labels == std::vector<Label>{1});
  CHECK(parts.test.classes == classes);
  write_raw(folder / "t10k-labels-idx1-ubyte.gz", gzip_of(idx({1}, "\2")));
  CHECK(refusal() == "t10k-images: expected labels below 2, image 0 has 2");
  write_raw(folder / "t10k-labels-idx1-ubyte.gz", gzip_of(idx({1}, "\1")).substr(0, 20));
  CHECK(refusal() == "t10k-labels-idx1-ubyte.gz: the compressed data end too early, so the file was cut off");
}
