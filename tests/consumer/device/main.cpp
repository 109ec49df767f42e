// A program of the host's compiler alone, which trains on a GPU where there is one.
#include <cstdio>

#include "my_net.hpp"

int main() {
  try {
    aila::Samples<aila::Vector<3>> samples;
    samples.inputs = {0, 1, 2, 1, 2, 3};
    samples.targets = {1, 2};
    const auto any = aila::NetworkUnit<my::Net, aila::MeanSquaredError, aila::backend::Cuda>::make(aila::Seed{7});
    any->fit(samples, aila::Adam{}, {.epochs = 2});
    std::printf("predicted %zu numbers\n", any->predict(samples).size());
  } catch (const aila::Error& error) {
    std::puts(error.what());
  }
}
