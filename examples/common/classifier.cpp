// What classifiers of every input share.
#include "classifier.hpp"

#include <algorithm>
#include <cmath>

namespace example {

const std::vector<std::string>& schedule_names() {
  static const std::vector<std::string> names{"cosine", "one-cycle", "constant"};
  return names;
}

Score score(std::span<const float> outputs, std::span<const aila::data::Label> labels,
            aila::metric::ConfusionMatrix& confusion) {
  if (confusion.classes() == 2 && outputs.size() == labels.size()) {
    std::vector<float> both;
    for (const float output : outputs) both.insert(both.end(), {0.0F, output});
    return score(both, labels, confusion);
  }
  confusion.add(outputs, labels);
  const std::size_t classes = confusion.classes();
  double loss = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto logits = outputs.subspan(i * classes, classes);
    const double largest = *std::ranges::max_element(logits);
    double sum = 0;
    for (const float logit : logits) sum += std::exp(logit - largest);
    loss += largest + std::log(sum) - logits[static_cast<std::size_t>(labels[i])];
  }
  return {.loss = loss / static_cast<double>(labels.size()), .accuracy = confusion.value()};
}

aila::Schedule schedule_of(const Training& training, std::size_t steps) {
  if (training.schedule == "one-cycle") return aila::schedule::one_cycle();
  const auto base = training.schedule == "constant" ? aila::schedule::constant() : aila::schedule::cosine();
  return base.with_warm_up(static_cast<std::uint64_t>(training.warm_up * static_cast<double>(steps)));
}

bool better(const Training& training, const Score& found, const Score& best) {
  if (training.best_by_loss || found.accuracy == best.accuracy) return found.loss < best.loss;
  return found.accuracy > best.accuracy;
}

}  // namespace example
