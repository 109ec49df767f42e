// The networks and policies that the command line chooses from.
#pragma once

#include <string>
#include <vector>

#include "run.hpp"

namespace example {

/// The networks' names, each once, in the order of `known`.
std::vector<std::string> network_names(const std::vector<Candidate>& known);
/// The policies' names but "-", each once.
std::vector<std::string> policy_names(const std::vector<Candidate>& known);

/// Every network with each of the policies that it has, in the order of `policies`, or as it is where it has none to
/// choose. Throws aila::Error where a network has none of the policies, and where policies were given (`given`) and no
/// network has any.
std::vector<Candidate> candidates_of(const std::vector<Candidate>& known, const std::vector<std::string>& networks,
                                     const std::vector<std::string>& policies, bool given);

}  // namespace example
