// Errors of a device that goes on no more, as its users see them.
#include "compare.hpp"

using namespace aila;

namespace {

struct Small : Network<Vector<6>, Linear<16>, Tanh, Linear<2>> {};

__global__ void breaks() {
  __trap();
}

}  // namespace

TEST_CASE("after a kernel has failed every call says so, and how") {
  if (!gpu::is_there()) return;
  Model<Small, backend::Cuda> model(Seed{1});
  Predictor<Small, backend::Cuda> predict(model);
  aila::cuda::Queue queue;
  Pass pass;
  pass.queue = &queue;
  aila::cuda::launch(pass, &breaks, 1, 32, 0);
  const std::vector<float> x(6);
  for (const std::string& sentence : {gpu::said([&] { queue.wait(); }), gpu::said([&] { predict.batch(x); }),
                                      gpu::said([&] { Predictor<Small, backend::Cuda> another(model); })}) {
    CAPTURE(sentence);
    CHECK(sentence.starts_with("cuda: "));
    CHECK(sentence.find(" failed on device 0: unspecified launch failure (") != std::string::npos);
    CHECK(sentence.ends_with(")"));
  }
}
