// Gradient checks as one line of a test: CHECK(wrong_gradient<Tanh, Vector<5>, Backend>() == "").
#pragma once

#include <aila/backend/cpu.hpp>
#include <aila/layer/layers.hpp>
#include <aila/learn/check_gradients.hpp>
#include <string>

namespace aila {

using ReferenceDouble = backend::Reference<double>;
using backend::CpuDouble;

/// Nothing, or what is wrong and by how much.
inline std::string what_is_wrong(const GradientCheck& check) {
  if (check.ok) return "";
  return check.worst < 1e300 ? check.where + " is wrong by " + std::to_string(check.worst) : check.where;
}
template <class Subject, class In, class Backend>
std::string wrong_gradient(const GradientCheckOptions& options = {}) {
  return what_is_wrong(check_gradients<Subject, In, Backend>(options));
}

}  // namespace aila
