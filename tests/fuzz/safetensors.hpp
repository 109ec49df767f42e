// Safetensors files.
#pragma once

#include <aila/io/safetensors.hpp>
#include <cstdint>
#include <vector>

#include "promise.hpp"

namespace aila_fuzz {

struct Safetensors {
  static constexpr const char* name = "Safetensors";
  static std::string file(const std::string& header, std::size_t data) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(static_cast<std::uint64_t>(header.size()) >> (8 * i));
    return bytes + header + std::string(data, '\x3F');
  }
  static std::vector<std::string> seeds() {
    return {file(R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})", 24),
            file(R"({"__metadata__":{"a":"b"},"x":{"dtype":"F64","shape":[1],"data_offsets":[4,12]},)"
                 R"("y":{"dtype":"I32","shape":[],"data_offsets":[0,4]}})",
                 12),
            file(R"({"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1],)"
                 R"("data_offsets":[4,6]},"q":{"dtype":"F4","shape":[3],"data_offsets":[6,8]},)"
                 R"("n":{"dtype":"F128","shape":[1],"data_offsets":[8,9]}})",
                 9),
            file("{}", 0)};
  }
  static void run(std::string_view bytes) {
    keeps_promise([&] {
      const auto file = aila::io::SafetensorsFile::parse(bytes_of(bytes), "f.safetensors");
      std::size_t sum = 0;
      for (const auto& tensor : file.tensors()) {
        require(file.find(tensor.name) == &tensor, "a tensor is found by its name");
        for (const std::byte byte : tensor.data) sum += std::to_integer<std::size_t>(byte);
        keeps_promise([&] { sum += file.as<float>(tensor.name).size(); });
        keeps_promise([&] { sum += file.as<double>(tensor.name).size(); });
      }
      require(sum + 1 > 0, "all bytes can be read");
    });
  }
};

}  // namespace aila_fuzz
