// expect 1: aila: this input's elements are not the network's (float; int32 for tokens)
// expect 2: aila: this input's elements are not the network's (float; int32 for tokens)
// expect 3: aila: this input has not as many elements as the network's input shape
// expect 4: aila: this input has not as many elements as the network's input shape
// expect 5: aila: a matrix of samples is row-major; Eigen's default is column-major
// expect 6: aila: a matrix of samples is row-major; Eigen's default is column-major
// expect 7: aila: an input is a contiguous range: an array, vector, span or Eigen map
// expect 8: aila: an input is a contiguous range: an array, vector, span or Eigen map
// expect 9: aila: a tensor of samples is row-major; Eigen's default is column-major
// expect 10: aila: this input has not as many elements as the network's input shape
#include <Eigen/Core>
#include <aila/aila.hpp>
#include <array>
#include <list>
#include <vector>
#ifdef MUST_FAIL_9
#include <unsupported/Eigen/CXX11/Tensor>
#endif
using namespace aila;

struct Net : Network<Sequence<12, 1>, Lstm<8>, LastStep, Linear<1>> {};

float predict(Predictor<Net>& predictor) {
#if defined(MUST_FAIL_1)
  return predictor(std::vector<double>(12))[0];
#elif defined(MUST_FAIL_2)
  return predictor.batch(std::array<int, 24>{})[0];
#elif defined(MUST_FAIL_3)
  return predictor(std::array<float, 13>{})[0];
#elif defined(MUST_FAIL_4)
  const std::vector<float> window(12);
  return predictor(std::span<const float, 11>(window.data(), 11))[0];
#elif defined(MUST_FAIL_5)
  return predictor.batch(Eigen::MatrixXf(4, 12))[0];
#elif defined(MUST_FAIL_6)
  const Eigen::MatrixXf windows(4, 12);
  return predictor(windows.block(0, 0, 1, 12))[0];
#elif defined(MUST_FAIL_7)
  return predictor(1.5F)[0];
#elif defined(MUST_FAIL_8)
  return predictor.batch(std::list<float>(12))[0];
#elif defined(MUST_FAIL_9)
  return predictor.batch(Eigen::Tensor<float, 3>(4, 12, 1))[0];
#elif defined(MUST_FAIL_10)
  const float window[13] = {};
  return predictor(window)[0];
#else
  using Windows = Eigen::Matrix<float, Eigen::Dynamic, 12, Eigen::RowMajor>;
  const std::vector<float> window(12);
  const float plain[12] = {};
  return predictor(plain)[0] + predictor(std::array<float, 12>{})[0] + predictor(window)[0] +
         predictor(Eigen::VectorXf(12))[0] + predictor(std::span<const float, 12>(window.data(), 12))[0] +
         predictor.batch(Windows(4, 12))[0];
#endif
}
