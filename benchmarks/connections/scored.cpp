#include "connections.hpp"

namespace {
/// Every layer asks what all before it gave, with one learned vector: full attention residuals, arXiv 2603.15031.
struct Asking : aila::integrate::Mixture<aila::integrate::AttachedAt<aila::integrate::Place::before>,
                                         aila::integrate::RmsKeys, aila::integrate::LearnedQuery> {
  static constexpr const char* name = "asking";
};
}  // namespace

void connections::add_scored() {
  add_policy<Asking>("learned_query");
}
