#include "report.hpp"

#include "../common/report.hpp"

namespace image {

using example::Json;

namespace {

Json data_json(const Dataset& set) {
  Json json{{"name", set.name}, {"folder", set.folder.string()}};
  if (set.trains()) {
    json["train"] = set.split.train.size();
    json["valid"] = set.split.valid.size();
  }
  json["test"] = set.images.test.size();
  json["mean"] = set.scaling.mean;
  json["deviation"] = set.scaling.deviation;
  return json;
}

Json options_json(const Options& o) {
  Json json = example::training_json(o.training);
  json["label_smoothing"] = o.label_smoothing;
  json["padding"] = o.augmentation.padding;
  json["flip"] = o.augmentation.flip;
  json["cutout"] = o.augmentation.cutout;
  json["seeds"] = o.seeds;
  json["threads"] = o.threads;
  return json;
}

}  // namespace

std::string report(const Options& options, const Dataset& dataset, const example::Experiment& experiment,
                   const std::vector<example::Result>& results) {
  Json json = example::report_head("aila image");
  json["data"] = data_json(dataset);
  if (!options.load) json["options"] = options_json(options);
  if (options.save && experiment.not_saved.empty()) json["model"] = options.save->string();
  example::add_results(json, experiment, results);
  return example::dump(json);
}

}  // namespace image
