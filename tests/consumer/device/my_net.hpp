// A network whose code for a GPU is compiled in a unit of its own.
#pragma once
#include <aila/any_model.hpp>
#include <aila/cuda.hpp>

namespace my {
struct Net : aila::Network<aila::Vector<3>, aila::Linear<1>> {};
}  // namespace my

extern template struct aila::NetworkUnit<my::Net, aila::MeanSquaredError, aila::backend::Cuda>;
