// What the CUDA runtime's answers become: one sentence each, also of machines that are not here.
#include <doctest/doctest.h>

#include <aila/cuda.hpp>
#include <string>

namespace {

std::string said(cudaError_t error) {
  try {
    aila::cuda::check(error, "cudaMalloc");
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
  for (const cudaError_t error :
       {cudaErrorInsufficientDriver, cudaErrorUnsupportedPtxVersion, cudaErrorCallRequiresNewerDriver}) {
    const std::string old = said(error);
    CAPTURE(old);
    CHECK(old.starts_with("cuda: expected a driver for CUDA 1"));
    CHECK(old.find(has_driver() ? " or newer, found one for CUDA " : " or newer, found none") != std::string::npos);
  }
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

TEST_CASE("a call that finds no memory says which, on which device, and where; who asked may say what for") {
  const std::string sentence = said(cudaErrorMemoryAllocation);
  CAPTURE(sentence);
  CHECK(sentence.starts_with("cuda: expected no more than device "));
  CHECK(sentence.find(" has memory for, found what cudaMalloc takes (sentences.cpp:") != std::string::npos);
  const auto taken = [] {
    try {
      aila::detail::taking("predict", 7, "samples", [] {
        aila::cuda::check(cudaErrorMemoryAllocation, "cudaMalloc");
        return 0;
      });
    } catch (const aila::Error& e) {
      return std::string(e.what());
    }
    return std::string("nothing");
  }();
  CAPTURE(taken);
  CHECK(taken.starts_with("predict: expected no more than device "));
  CHECK(taken.find(" has memory for, found 7 samples (what cudaMalloc takes (sentences.cpp:") != std::string::npos);
}

TEST_CASE("a kernel is told by its own name") {
  CHECK(aila::cuda::last_name("_ZN4aila2v04cuda14element_kernelINS1_9SumOfMapsEEEvmT_") == "element_kernel");
  CHECK(aila::cuda::last_name("_ZN12_GLOBAL__N_16breaksEv") == "breaks");
  CHECK(aila::cuda::last_name("_Z6breaksv") == "breaks");
  CHECK(aila::cuda::last_name("_ZL6breaksv") == "breaks");
  CHECK(aila::cuda::last_name("breaks").empty());
  CHECK(aila::cuda::last_name("_Z99breaks") == "breaks");
}
