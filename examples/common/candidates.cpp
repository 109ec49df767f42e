#include "candidates.hpp"

#include <algorithm>

#include "text.hpp"

namespace example {
namespace {

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

}  // namespace

std::vector<std::string> network_names(const std::vector<Candidate>& known) {
  std::vector<std::string> names;
  for (const auto& candidate : known) add_once(names, candidate.network);
  return names;
}

std::vector<std::string> policy_names(const std::vector<Candidate>& known) {
  std::vector<std::string> names;
  for (const auto& candidate : known)
    if (candidate.policy != "-") add_once(names, candidate.policy);
  return names;
}

std::vector<Candidate> candidates_of(const std::vector<Candidate>& known, const std::vector<std::string>& networks,
                                     const std::vector<std::string>& policies, bool given) {
  std::vector<Candidate> candidates;
  bool used = false;
  for (const auto& network : networks) {
    const auto before = candidates.size();
    std::vector<std::string> has;
    for (const auto& candidate : known) {
      if (candidate.network != network) continue;
      has.push_back(candidate.policy);
      if (candidate.policy == "-" || std::ranges::find(policies, candidate.policy) != policies.end())
        candidates.push_back(candidate);
      used = used || candidate.policy != "-";
    }
    if (candidates.size() == before)
      throw aila::Error("--policy: " + network + " has " + join(has) + ", found " + join(policies));
    std::stable_sort(candidates.begin() + static_cast<std::ptrdiff_t>(before), candidates.end(),
                     [&](const Candidate& a, const Candidate& b) {
                       return std::ranges::find(policies, a.policy) < std::ranges::find(policies, b.policy);
                     });
  }
  if (given && !used) throw aila::Error("--policy: " + join(networks) + " has no policy to choose");
  return candidates;
}

}  // namespace example
