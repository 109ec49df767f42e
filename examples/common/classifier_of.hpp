// The classifier of one input: AnyModel and the samples of the task.
#pragma once

#include <aila/any_model.hpp>
#include <aila/io/model_file.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "classifier.hpp"

namespace example {

/// The samples of a task. Mixture weights are measured on the last member's samples.
template <class In>
struct Parts {
  aila::SourceRef<In> train, valid, test;
  std::vector<aila::data::Label> valid_labels, test_labels;
  aila::Samples<In> mixture;
};

/// A network with an output for each class, or one output that is the logit of the second of two classes.
template <class In, std::size_t Outputs>
class ClassifierOf final : public Classifier {
 public:
  using Any = aila::AnyModel<In, aila::Vector<Outputs>>;
  static constexpr std::size_t classes = Outputs == 1 ? 2 : Outputs;

  ClassifierOf(std::unique_ptr<Any> model, std::shared_ptr<const Parts<In>> parts, aila::ExecutorRef executor)
      : model_(std::move(model)), parts_(std::move(parts)), executor_(executor) {}

  Any& model() { return *model_; }
  const Any& model() const { return *model_; }

  bool fit(const Training& training, aila::Seed seed, const Watch& watch, Run& run) override {
    using Clock = std::chrono::steady_clock;
    typename Any::Options options;
    options.epochs = training.epochs;
    options.batch = training.batch;
    options.seed = seed;
    options.schedule = schedule_of(training, (parts_->train.size() + training.batch - 1) / training.batch);
    options.clip_norm = training.clip_norm;
    options.executor = executor_;
    options.on_progress = watch.on_step;
    options.cancel = watch.cancel;
    auto begin = Clock::now();
    bool stopped = false;
    auto kept = model_->state();
    options.on_epoch = [&](const aila::EpochRecord& record) {
      Epoch epoch{.training_loss = record.training_loss,
                  .validation = score_of(parts_->valid, parts_->valid_labels),
                  .learning_rate = record.learning_rate,
                  .seconds = 0};
      const auto end = Clock::now();
      epoch.seconds = std::chrono::duration<double>(end - std::exchange(begin, end)).count();
      run.epochs.push_back(epoch);
      if (run.best_epoch == 0 || better(training, epoch.validation, run.validation)) {
        run.best_epoch = record.epoch;
        run.validation = epoch.validation;
        kept = model_->state();
        if (watch.on_best) watch.on_best();
      }
      run.stopped_early = training.patience > 0 && record.epoch - run.best_epoch >= training.patience;
      stopped = run.stopped_early && record.epoch < training.epochs;
      return !stopped;
    };
    const aila::AdamW optimiser{.learning_rate = training.learning_rate, .weight_decay = training.weight_decay};
    const bool whole = !model_->fit(parts_->train, optimiser, options).cancelled || stopped;
    model_->restore(std::move(kept));
    return whole;
  }

  void measure(Run& run) const override {
    run.parameters = model_->parameter_count();
    run.confusion = aila::metric::ConfusionMatrix(classes);
    run.test = score(predict_test(), parts_->test_labels, run.confusion);
    run.mixture = model_->mixture_weights(parts_->mixture.inputs, parts_->mixture.lengths);
  }
  std::vector<float> predict_test() const override { return model_->predict(parts_->test, executor_); }
  double cost() const override { return static_cast<double>(model_->flops() * parts_->train.size()); }
  std::string summary() const override { return model_->summary(); }

  void save(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata) const override {
    aila::io::save(*model_, path, metadata);
  }
  void load(const std::filesystem::path& path) override { aila::io::load(*model_, path); }

 private:
  Score score_of(const aila::SourceRef<In>& source, const std::vector<aila::data::Label>& labels) const {
    aila::metric::ConfusionMatrix confusion(classes);
    return score(model_->predict(source, executor_), labels, confusion);
  }

  std::unique_ptr<Any> model_;
  std::shared_ptr<const Parts<In>> parts_;
  aila::ExecutorRef executor_;
};

}  // namespace example
