// The metrics, all in namespace metric:
//   Accuracy{classes}                  share of samples whose class has the largest output
//   BinaryAccuracy, BinaryF1           yes-or-no answers, of logits; Binary has both, precision and recall
//   ConfusionMatrix{classes}           which class was taken for which; precision, recall, F1 of a class
//   MeanAbsoluteError                  mean |o - t|
//   MeanAbsoluteScaledError{scale}     MASE, scale = naive_error(training series)
//   MeanSquaredError                   mean (o - t)^2
//   RSquared                           share of the targets' variance explained
//   Skill                              1 - MSE / MSE of a baseline; skill(error, baseline_error)
//   TopKAccuracy{classes, k}           share of samples whose class is among the k largest outputs
#pragma once

#include "metric.hpp"
#include "metric_binary.hpp"
#include "metric_classification.hpp"
#include "metric_regression.hpp"
