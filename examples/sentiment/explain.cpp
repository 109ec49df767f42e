// Gradients times inputs, in words and pictures.
#include "explain.hpp"

#include <aila/io/plot.hpp>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "../common/text.hpp"

namespace sentiment {
namespace {

using example::text;

constexpr std::size_t words_shown = 8;

/// `most` signs for a share of 1.
std::string bar(double share, double most) {
  std::string signs;
  signs.resize(static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * most)), '#');
  return signs;
}

/// The tokens of the largest sizes, largest first.
std::vector<std::size_t> largest(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t count = std::min(words_shown, order.size());
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return std::abs(values[a]) > std::abs(values[b]); });
  order.resize(count);
  return order;
}

std::string bars(const std::vector<std::string>& words, const std::vector<double>& values, const char* format) {
  std::string lines;
  const auto order = largest(values);
  if (order.empty() || values[order[0]] == 0) return "  (none)\n";
  for (const auto i : order) {
    if (values[i] == 0) break;
    lines += text(format, values[i]) + text("  %-24s  ", bar(std::abs(values[i] / values[order[0]]), 24).c_str()) +
             words[i] + "\n";
  }
  return lines;
}

}  // namespace

Explanation explain(const AnyNetwork& network, const Review& review) {
  Explanation e;
  const auto logit = network.predict({aila::SamplesView<In>(review.input, {}, review.lengths())})[0];
  e.positive = 1 / (1 + std::exp(-static_cast<double>(logit)));
  const auto gradients = network.input_gradients(review.input, 0, review.lengths());
  for (std::size_t t = 0; t < review.tokens.size(); ++t) {
    double sum = 0;
    for (std::size_t i = t * dimension; i < (t + 1) * dimension; ++i)
      sum += static_cast<double>(gradients[i]) * static_cast<double>(review.input[i]);
    e.contributions.push_back(sum);
  }
  for (const auto& map : network.layer_maps(review.input, "attention_pooling.weights", review.lengths()))
    e.pooling.assign(map.values.begin(), map.values.begin() + static_cast<std::ptrdiff_t>(review.tokens.size()));
  e.layers = network.mixture_weights(review.input, review.lengths());
  return e;
}

std::string verdict(const Explanation& e) {
  const bool positive = e.positive > 0.5;
  return text("%s, %.1f %%", positive ? "positive" : "negative", 100 * (positive ? e.positive : 1 - e.positive));
}

std::string as_text(const Review& review, const Explanation& e) {
  const auto known = static_cast<std::size_t>(std::ranges::count(review.known, true));
  std::string lines = verdict(e) + text("  (%zu word%s", review.all_tokens, review.all_tokens == 1 ? "" : "s");
  if (review.tokens.size() < review.all_tokens) lines += text(", of which %zu are read", review.tokens.size());
  lines += text("; %zu %s a vector)\n", known, known == 1 ? "has" : "have");
  lines += "words: gradient times input, + for positive\n" + bars(review.tokens, e.contributions, "  %+7.3f");
  if (!e.pooling.empty())
    lines += "words: weight in the attention pooling\n" + bars(review.tokens, e.pooling, "  %7.3f");
  if (e.layers.empty()) return lines + "layers: no weights, this network integrates none or at fixed strength\n";
  lines += "layers: mean weight over the words, in the integration of each layer\n";
  const auto map = aila::io::mixture_map("", e.layers);
  const std::size_t items = map.column_labels.size();
  for (std::size_t row = 0; row < map.row_labels.size(); ++row)
    for (std::size_t i = 0; i < items; ++i)
      if (const double weight = map.values[row * items + i]; !std::isnan(weight))
        lines += text("  %-8s of %-10s %5.3f  ", map.row_labels[row].c_str(), map.column_labels[i].c_str(), weight) +
                 bar(weight, 24) + "\n";
  return lines;
}

std::string draw(const Review& review, const Explanation& e, const std::string& network) {
  const aila::io::ShadedText words{
      .title = network + ": " + verdict(e),
      .subtitle = "blue speaks for a good review, orange for a bad one (gradient times input)" +
                  std::string(e.pooling.empty() ? "" : "; lines: weight in the attention pooling"),
      .words = review.tokens,
      .values = e.contributions,
      .lines = e.pooling};
  std::vector<std::string> documents{aila::io::svg(words)};
  if (!e.layers.empty())
    documents.push_back(aila::io::svg(aila::io::mixture_map("Weights of the layers, mean over the words", e.layers)));
  return aila::io::panels(documents, 1);
}

}  // namespace sentiment
