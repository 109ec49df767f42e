// The consumer's network: a small forecaster of series. All its code is compiled in a unit of its own.
#pragma once
#include <aila/any_model.hpp>

struct Trend
    : aila::Network<aila::Sequence<6, 1>, aila::Stack<aila::integrate::Attention<>, aila::Repeat<2, aila::Lstm<8>>>,
                    aila::LastStep, aila::Linear<1>> {};

extern template struct aila::NetworkUnit<Trend>;
