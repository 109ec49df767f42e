// The strides of a file of convolutions, which it does not name: those with which plain loops, in double, give its y.
//
// Sizes alone do not tell them: strides of 1, 2, 1, 2 and of 2, 1, 2, 1 give maps of one size. The mixture weights of
// adaptive policies are in the file, so no scores are computed.
#pragma once

#include <aila/io/safetensors.hpp>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace figures {

struct Stride {
  std::size_t height = 1, width = 1;
};

/// Of one sample: height, width (the steps of a sequence, of height 1), features.
struct Map {
  std::size_t h, w, c;
  std::vector<double> values;
  Map(std::size_t height, std::size_t width, std::size_t features)
      : h(height), w(width), c(features), values(height * width * features) {}
  double* at(std::size_t y, std::size_t x) { return values.data() + (y * w + x) * c; }
  const double* at(std::size_t y, std::size_t x) const { return values.data() + (y * w + x) * c; }
};

class StrideSearch {
 public:
  StrideSearch(const aila::io::SafetensorsFile& file, const nlohmann::json& options)
      : file_(file),
        options_(options),
        depth_(options.at("widths").size()),
        sequence_(file.at("x").shape.size() == 3) {}

  /// The stride of each layer; throws aila::Error where none up to 8 gives the file's y.
  std::vector<Stride> find() {
    for (const bool square : {true, false}) {
      square_ = square || sequence_;
      maps_.clear();
      strides_.clear();
      if (search()) return strides_;
    }
    file_.fail("no strides up to 8 give the y of this file");
  }

 private:
  Map first_sample(const std::string& name) const {
    const auto& shape = file_.at(name).shape;
    if (shape.size() != (sequence_ ? 3 : 4)) file_.fail(name + " should have the axes of x");
    Map map(sequence_ ? 1 : shape[1], shape[shape.size() - 2], shape.back());
    const auto all = file_.as<double>(name);
    std::copy_n(all.begin(), map.values.size(), map.values.begin());
    return map;
  }
  std::string policy() const { return options_.at("integrate"); }
  static std::string number(std::size_t j) { return std::to_string(j); }

  /// Layers from maps_.size() on; true where the last gives y.
  bool search() {
    const std::size_t j = maps_.size();
    const Map goal = first_sample("y");
    if (j == depth_) return j > 0 && same(maps_.back(), goal);
    if (policy() == "densenet" && !fits(j, 0, 0)) return false;
    const Map input = input_of(j);
    for (std::size_t a = 1; a <= 8; ++a)
      for (std::size_t b = square_ ? a : 1; b <= (square_ ? a : 8); ++b) {
        const Stride stride{sequence_ ? 1 : a, b};
        const auto [h, w] = size_of(j, input, stride);
        if (h < goal.h || w < goal.w || h == 0 || w == 0 || !fits(j, h, w)) continue;
        maps_.push_back(layer(j, input, stride, h, w));
        strides_.push_back(stride);
        if (search()) return true;
        maps_.pop_back();
        strides_.pop_back();
      }
    return false;
  }

  static bool same(const Map& a, const Map& b) {
    if (a.h != b.h || a.w != b.w || a.c != b.c) return false;
    for (std::size_t i = 0; i < a.values.size(); ++i)
      if (!(std::abs(a.values[i] - b.values[i]) < 1e-8)) return false;
    return true;
  }
  /// Whether layer j's map may be of this size: the maps that are pooled for it divide, and its mixture weights have
  /// it.
  bool fits(std::size_t j, std::size_t h, std::size_t w) const {
    const bool joins = policy() == "densenet";  // pools to the size of its input
    const std::size_t first = policy() == "none" ? j : policy() == "residual" && j > 0 ? j - 1 : 0;
    for (std::size_t i = first; i < j; ++i)
      if (maps_[i].h % (joins ? maps_.back().h : h) != 0 || maps_[i].w % (joins ? maps_.back().w : w) != 0)
        return false;
    const auto* weights = file_.find("weights." + number(j));
    if (weights == nullptr) return true;
    return sequence_ ? weights->shape.at(1) == w : weights->shape.at(1) == h && weights->shape.at(2) == w;
  }

  struct Kernel {
    std::vector<double> w, b;
    std::size_t outputs, inputs, h, width;
  };
  Kernel kernel(std::size_t j) const {
    const std::string name = "w.cores." + number(j) + ".conv.";
    const auto& shape = file_.at(name + "weight").shape;
    if (shape.size() != (sequence_ ? 3 : 4)) file_.fail(name + "weight should have the axes of x");
    return {file_.as<double>(name + "weight"),
            file_.as<double>(name + "bias"),
            shape[0],
            shape[1],
            sequence_ ? 1 : shape[2],
            shape.back()};
  }
  std::pair<std::size_t, std::size_t> size_of(std::size_t j, const Map& in, Stride s) const {
    const Kernel k = kernel(j);
    const auto out = [](std::size_t n, std::size_t size, std::size_t stride) {
      return n + 2 * (size / 2) < size ? 0 : (n + 2 * (size / 2) - size) / stride + 1;
    };
    return {out(in.h, k.h, s.height), out(in.w, k.width, s.width)};
  }

  static Map aligned(const Map& from, std::size_t h, std::size_t w) {
    Map to(h, w, from.c);
    const std::size_t a = from.h / h, b = from.w / w;
    for (std::size_t y = 0; y < from.h; ++y)
      for (std::size_t x = 0; x < from.w; ++x)
        for (std::size_t f = 0; f < from.c; ++f)
          to.at(y / a, x / b)[f] += from.at(y, x)[f] / static_cast<double>(a * b);
    return to;
  }
  /// What core j reads: the map before it, or under DenseNet all of them side by side.
  Map input_of(std::size_t j) const {
    if (j == 0) return first_sample("x");
    if (policy() != "densenet") return maps_.back();
    const std::size_t h = maps_.back().h, w = maps_.back().w;
    std::size_t features = 0, column = 0;
    for (const Map& map : maps_) features += map.c;
    Map joined(h, w, features);
    for (std::size_t i = j; i-- > 0; column += maps_[i].c) {
      const Map part = aligned(maps_[i], h, w);
      for (std::size_t y = 0; y < h; ++y)
        for (std::size_t x = 0; x < w; ++x) std::copy_n(part.at(y, x), part.c, joined.at(y, x) + column);
    }
    return joined;
  }

  Map layer(std::size_t j, const Map& input, Stride s, std::size_t h, std::size_t w) const {
    const Kernel k = kernel(j);
    if (k.inputs != input.c) file_.fail("core " + number(j) + " has groups, which a file of figures has not");
    Map own(h, w, k.outputs);
    for (std::size_t y = 0; y < h; ++y)
      for (std::size_t x = 0; x < w; ++x)
        for (std::size_t o = 0; o < k.outputs; ++o) {
          double sum = k.b[o];
          for (std::size_t u = 0; u < k.h; ++u)
            for (std::size_t v = 0; v < k.width; ++v) {
              const std::size_t row = y * s.height + u, column = x * s.width + v;  // in a map with zeros around it
              if (row < k.h / 2 || row - k.h / 2 >= input.h || column < k.width / 2 || column - k.width / 2 >= input.w)
                continue;
              const double* in = input.at(row - k.h / 2, column - k.width / 2);
              for (std::size_t i = 0; i < k.inputs; ++i)
                sum += k.w[((o * k.inputs + i) * k.h + u) * k.width + v] * in[i];
            }
          own.at(y, x)[o] = sum;
        }
    if (j > 0) integrate(j, own);
    const auto scale = file_.as<double>("w.norms." + number(j) + ".weight");
    const auto shift = file_.as<double>("w.norms." + number(j) + ".bias");
    for (std::size_t p = 0; p < h * w; ++p) norm(own.values.data() + p * own.c, own.c, scale, shift);
    return own;
  }
  /// LayerNorm(ReLU(row)).
  static void norm(double* row, std::size_t n, const std::vector<double>& scale, const std::vector<double>& shift) {
    double mean = 0, variance = 0;
    for (std::size_t f = 0; f < n; ++f) mean += row[f] = std::max(row[f], 0.0);
    mean /= static_cast<double>(n);
    for (std::size_t f = 0; f < n; ++f) variance += (row[f] - mean) * (row[f] - mean) / static_cast<double>(n);
    for (std::size_t f = 0; f < n; ++f) row[f] = (row[f] - mean) / std::sqrt(variance + 1e-5) * scale[f] + shift[f];
  }

  /// own += a_j
  void integrate(std::size_t j, Map& own) const {
    const std::string at = "integrations." + number(j) + ".";
    if (policy() == "residual") {
      const Map before = aligned(maps_.back(), own.h, own.w);
      for (std::size_t i = 0; i < own.values.size(); ++i) own.values[i] += before.values[i];
    } else if (policy() == "linear") {
      std::vector<Map> items{own};
      for (std::size_t i = 0; i < j; ++i) items.push_back(projected(i, own, "w." + at + "projection." + number(i)));
      if (file_.find("w." + at + "task") != nullptr) {
        items.emplace_back(own.h, own.w, own.c);
        const auto task = file_.as<double>("w." + at + "task");
        for (std::size_t p = 0; p < own.h * own.w; ++p)
          std::copy(task.begin(), task.end(), items.back().values.data() + p * own.c);
      }
      mix(j, items, true, own);
    } else if (policy() == "attention") {
      std::vector<Map> items;
      for (std::size_t i = 0; i < j; ++i) {
        const std::string value = "w." + at + "value.";
        items.push_back(projected(i, own, value + (file_.find(value + number(i)) != nullptr ? number(i) : "0")));
      }
      mix(j, items, options_.value("combine", "concat") == "mean", own);
    }
  }
  /// Map i at own's positions, under a weight [out, in].
  Map projected(std::size_t i, const Map& own, const std::string& weight) const {
    const Map from = aligned(maps_[i], own.h, own.w);
    const auto w = file_.as<double>(weight);
    Map to(own.h, own.w, w.size() / from.c);
    for (std::size_t p = 0; p < own.h * own.w; ++p)
      for (std::size_t o = 0; o < to.c; ++o)
        for (std::size_t f = 0; f < from.c; ++f)
          to.values[p * to.c + o] += w[o * from.c + f] * from.values[p * from.c + f];
    return to;
  }
  /// own += the items weighed by the file's weights: heads of whole items averaged, or slices side by side.
  void mix(std::size_t j, const std::vector<Map>& items, bool averages, Map& own) const {
    const auto& shape = file_.at("weights." + number(j)).shape;
    const auto weights = file_.as<double>("weights." + number(j));
    const std::size_t heads = shape.at(shape.size() - 2), n = shape.back(), d = own.c;
    if (n != items.size()) file_.fail("weights." + number(j) + " has another number of items than the layer");
    const bool whole = items[0].c == d && policy() == "linear";  // each head weighs the whole item
    for (std::size_t p = 0; p < own.h * own.w; ++p)
      for (std::size_t k = 0; k < heads; ++k)
        for (std::size_t i = 0; i < n; ++i) {
          const double weight = weights[(p * heads + k) * n + i] / (averages ? static_cast<double>(heads) : 1.0);
          const double* item = items[i].values.data() + p * items[i].c;
          const std::size_t width = whole || averages ? d : d / heads, first = averages ? 0 : k * width;
          for (std::size_t f = 0; f < width; ++f)
            own.values[p * d + first + f] += weight * item[(whole ? 0 : k * width) + f];
        }
  }

  const aila::io::SafetensorsFile& file_;
  const nlohmann::json& options_;
  std::size_t depth_;
  bool sequence_, square_ = true;
  std::vector<Map> maps_;
  std::vector<Stride> strides_;
};

}  // namespace figures
