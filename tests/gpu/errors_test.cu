// Errors of a device, as its users see them.
#include "compare.hpp"

using namespace aila;

namespace {

struct Small : Network<Vector<6>, Linear<16>, Tanh, Linear<2>> {};

__global__ void breaks() {
  __trap();
}

template <class F>
std::string said(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing";
}

}  // namespace

TEST_CASE("a batch that the device has no memory for is refused in one sentence, and nothing is lost") {
  if (!gpu::is_there()) return;
  Model<Small, backend::Cuda> model(Seed{1});
  const std::size_t many = std::size_t{1} << 40;
  const std::string predictor = said([&] { Predictor<Small, backend::Cuda>(model, many); });
  CHECK(predictor ==
        "workspace: expected no more than this machine has memory for, found " + std::to_string(many) + " samples");
  Inline alone;
  const std::string trainer =
      said([&] { Trainer<Small, MeanSquaredError, Adam, backend::Cuda>(model, {}, {}, {.batch = many}, alone); });
  CHECK(trainer == predictor);  // of its workspace
  Predictor<Small, backend::Cuda> predict(model);
  CHECK(std::isfinite(predict(std::array<float, 6>{})[0]));
}

TEST_CASE("after a kernel has failed every call says so, and how") {
  if (!gpu::is_there()) return;
  Model<Small, backend::Cuda> model(Seed{1});
  Predictor<Small, backend::Cuda> predict(model);
  aila::cuda::Queue queue;
  Pass pass;
  pass.queue = &queue;
  aila::cuda::launch(pass, &breaks, 1, 32, 0);
  const std::vector<float> x(6);
  for (const std::string& sentence : {said([&] { queue.wait(); }), said([&] { predict.batch(x); }),
                                      said([&] { Predictor<Small, backend::Cuda> another(model); })}) {
    CAPTURE(sentence);
    CHECK(sentence.starts_with("cuda: "));
    CHECK(sentence.find(" failed on device 0: unspecified launch failure (") != std::string::npos);
    CHECK(sentence.ends_with(")"));
  }
}
