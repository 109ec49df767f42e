#include "report.hpp"

#include "../common/report.hpp"
#include "saved.hpp"

namespace sentiment {

using example::Json;

namespace {

Json vectors_json(const Words& words) {
  const auto& c = words.coverage;
  return {{"file", words.file}, {"dimension", dimension},
          {"words", c.words},   {"words_with_vector", c.words - c.missing_words},
          {"tokens", c.tokens}, {"tokens_with_vector", c.tokens - c.missing_tokens}};
}

Json data_json(const Reviews& reviews, const Reading& reading) {
  Json json;
  if (reviews.trains()) {
    json["train"] = reviews.train().size();
    json["valid"] = reviews.valid().size();
  }
  json["test"] = reviews.test().size();
  json["tokens"] = reading.tokens;
  json["keep"] = reading.keep == aila::data::Keep::first ? "first" : "last";
  json["longer_texts"] = reviews.cut();
  json["vectors"] = vectors_json(reviews.words());
  json["warnings"] = reviews.warnings();
  return json;
}

Json options_json(const Options& o) {
  Json json = example::training_json(o.training);
  json["label_smoothing"] = o.label_smoothing;
  json["seeds"] = o.seeds;
  json["threads"] = o.threads;
  return json;
}

}  // namespace

std::string report(const Options& options, const Reviews& reviews, const Reading& reading,
                   const example::Experiment& experiment, const std::vector<example::Result>& results) {
  Json json = example::report_head(program);
  json["data"] = data_json(reviews, reading);
  if (!options.load) json["options"] = options_json(options);
  if (options.save && experiment.not_saved.empty()) json["model"] = options.save->string();
  example::add_results(json, experiment, results);
  return example::dump(json);
}

}  // namespace sentiment
