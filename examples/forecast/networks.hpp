// The networks that the program compares: one type for each policy and window, each compiled in a unit of its own.
#pragma once

#include <aila/any_model.hpp>

namespace forecast {

/// The policies, as design.md has them: linear integration with four heads, attention with one.
using None = aila::integrate::None;
using Residual = aila::integrate::Residual;
using DenseNet = aila::integrate::DenseNet;
using Linear = aila::integrate::Linear<aila::Heads<4>>;
using Attention = aila::integrate::Attention<>;

/// Months of one price in, one number out. The networks differ in the connection between their layers alone.
template <class Policy, std::size_t Window>
struct Net : aila::Network<aila::Sequence<Window, 1>, aila::Stack<Policy, aila::Repeat<4, aila::Lstm<64>>>,
                           aila::LastStep, aila::Linear<1>> {};

}  // namespace forecast

// What CMakeLists.txt compiles by aila_add_network is not compiled again where this header is read.
extern template struct aila::NetworkUnit<forecast::Net<forecast::None, 12>>;
extern template struct aila::NetworkUnit<forecast::Net<forecast::None, 24>>;
extern template struct aila::NetworkUnit<forecast::Net<forecast::Residual, 12>>;
extern template struct aila::NetworkUnit<forecast::Net<forecast::Residual, 24>>;
extern template struct aila::NetworkUnit<forecast::Net<forecast::DenseNet, 12>>;
extern template struct aila::NetworkUnit<forecast::Net<forecast::DenseNet, 24>>;
extern template struct aila::NetworkUnit<forecast::Net<forecast::Linear, 12>>;
extern template struct aila::NetworkUnit<forecast::Net<forecast::Linear, 24>>;
extern template struct aila::NetworkUnit<forecast::Net<forecast::Attention, 12>>;
extern template struct aila::NetworkUnit<forecast::Net<forecast::Attention, 24>>;
