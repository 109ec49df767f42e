// Models saved and loaded.
#include <doctest/doctest.h>

#include <aila/backend/reference.hpp>
#include <aila/io/model_file.hpp>
#include <aila/layer/layers.hpp>
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
