#include "outcome.hpp"

namespace flags {

Outcome by_x86_64_v4() {
  return outcome<aila::backend::Cpu>();
}

}  // namespace flags
