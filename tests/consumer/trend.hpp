// The consumer's network: a small forecaster of series.
#pragma once
#include <aila/aila.hpp>

struct Trend
    : aila::Network<aila::Sequence<6, 1>, aila::Stack<aila::integrate::Attention<>, aila::Repeat<2, aila::Lstm<8>>>,
                    aila::LastStep, aila::Linear<1>> {};
