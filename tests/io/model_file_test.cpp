// Models saved and loaded.
#include <doctest/doctest.h>

#include <aila/any_model.hpp>
#include <aila/backend/reference.hpp>
#include <aila/io/model_file.hpp>
#include <aila/layer/layers.hpp>
#include <aila/learn/losses.hpp>
#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "temporary_folder.hpp"

using namespace aila;
using namespace aila_test;

namespace {

struct Small : Network<Sequence<3, 1>, Lstm<4>, LastStep, Linear<1>> {};
struct Wide : Network<Sequence<3, 1>, Lstm<5>, LastStep, Linear<1>> {};

template <class Net>
using Single = Model<Net, backend::Reference<float>>;
template <class Net>
using Double = Model<Net, backend::Reference<double>>;

}  // namespace

TEST_CASE("a loaded model has the weights of the saved one, in either precision") {
  TemporaryFolder folder;
  const Single<Small> saved(Seed{7});
  io::save(saved, folder / "w.safetensors", {{"task", "forecast"}});
  Single<Small> loaded(Seed{8});
  REQUIRE(!std::ranges::equal(loaded.parameters(), saved.parameters()));
  io::load(loaded, folder / "w.safetensors");
  CHECK(std::ranges::equal(loaded.parameters(), saved.parameters()));

  Double<Small> twice(Seed{9});
  io::load(twice, folder / "w.safetensors");
  CHECK(std::ranges::equal(twice.parameters(), saved.parameters()));
  io::save(twice, folder / "d.safetensors");
  Single<Small> back(Seed{10});
  io::load(back, folder / "d.safetensors");
  CHECK(std::ranges::equal(back.parameters(), saved.parameters()));
  CHECK(io::SafetensorsFile::read(folder / "w.safetensors").metadata().at("task") == "forecast");
}

TEST_CASE("a file of another network is refused and the model stays as it was") {
  TemporaryFolder folder;
  io::save(Single<Wide>(Seed{7}), folder / "w.safetensors");
  Single<Small> model(Seed{8});
  const std::vector<float> before(model.parameters().begin(), model.parameters().end());
  const auto message = error_of([&] { io::load(model, folder / "w.safetensors"); });
  CHECK(message.starts_with("w.safetensors: lstm."));
  CHECK(message.find(" has shape [20, ") != std::string::npos);
  CHECK(message.find(", the network needs [16, ") != std::string::npos);
  CHECK(std::ranges::equal(model.parameters(), before));
}

TEST_CASE("a model whose type is not known is saved as the model is, byte by byte, and loaded from either file") {
  using Unit = NetworkUnit<Small, MeanSquaredError, backend::Reference<float>>;
  TemporaryFolder folder;
  const auto any = Unit::make(Seed{7});
  const auto bytes_of = [&](const char* name) {
    std::ifstream file(folder / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  io::save(Single<Small>(Seed{7}), folder / "m.safetensors", {{"task", "forecast"}});
  io::save(*any, folder / "a.safetensors", {{"task", "forecast"}});
  CHECK(bytes_of("a.safetensors") == bytes_of("m.safetensors"));

  const auto loaded = Unit::make(Seed{8});
  io::load(*loaded, folder / "m.safetensors");
  CHECK(std::ranges::equal(loaded->parameters(), any->parameters()));
}

TEST_CASE("a file that is broken or of another network leaves a model whose type is not known as it was") {
  TemporaryFolder folder;
  io::save(Single<Small>(Seed{7}), folder / "w.safetensors");
  io::save(Single<Wide>(Seed{7}), folder / "other.safetensors");
  std::filesystem::copy_file(folder / "w.safetensors", folder / "short.safetensors");
  std::filesystem::resize_file(folder / "short.safetensors",
                               std::filesystem::file_size(folder / "short.safetensors") - 4);
  const auto any = NetworkUnit<Small, MeanSquaredError, backend::Reference<float>>::make(Seed{8});
  const std::vector<float> before(any->parameters().begin(), any->parameters().end());
  for (const char* name : {"short.safetensors", "other.safetensors", "none.safetensors"}) {
    CHECK(error_of([&] { io::load(*any, folder / name); }).starts_with(std::string(name) + ": "));
    CHECK(std::ranges::equal(any->parameters(), before));
  }
  io::load(*any, folder / "w.safetensors");
  CHECK(!std::ranges::equal(any->parameters(), before));
}
