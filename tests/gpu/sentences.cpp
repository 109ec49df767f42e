// What the CUDA runtime's answers become: one sentence each, also of machines that are not here.
#include <doctest/doctest.h>

#include <aila/cuda.hpp>
#include <new>
#include <string>

namespace {

std::string said(cudaError_t error) {
  try {
    aila::cuda::check(error, "cudaMalloc", std::source_location::current());
  } catch (const aila::Error& e) {
    return e.what();
  }
  return "nothing";
}

/// The runtime's own words where there is a driver, and where there is none.
bool has_driver() {
  int driver = 0;
  return cudaDriverGetVersion(&driver) == cudaSuccess && driver > 0;
}

}  // namespace

TEST_CASE("what is wrong with the machine is said as what is expected of it") {
  CHECK(said(cudaSuccess) == "nothing");
  CHECK(said(cudaErrorNoDevice) == "cuda: expected an NVIDIA GPU, found none");
  const std::string old = said(cudaErrorInsufficientDriver);
  CHECK(old.starts_with("cuda: expected a driver for CUDA 1"));
  CHECK(old.find(has_driver() ? " or newer, found one for CUDA " : " or newer, found none") != std::string::npos);
  const std::string image = said(cudaErrorNoKernelImageForDevice);
  CHECK(image.starts_with("cuda: this program was compiled for other GPUs than device "));
  CHECK(image.ends_with("; add its architecture to CMAKE_CUDA_ARCHITECTURES"));
}

TEST_CASE("other errors say call, device, the runtime's words and the place") {
  for (const cudaError_t error : {cudaErrorInvalidValue, cudaErrorLaunchFailure, cudaErrorIllegalAddress}) {
    const std::string sentence = said(error);
    CAPTURE(sentence);
    CHECK(sentence.starts_with("cuda: cudaMalloc failed on device "));
    CHECK(sentence.find(std::string(": ") + cudaGetErrorString(error) + " (sentences.cpp:") != std::string::npos);
    CHECK(sentence.ends_with(")"));
  }
}

TEST_CASE("no memory is std::bad_alloc, which the classes that ask for it turn into a sentence") {
  CHECK_THROWS_AS(aila::cuda::check(cudaErrorMemoryAllocation, "cudaMalloc"), std::bad_alloc);
}
