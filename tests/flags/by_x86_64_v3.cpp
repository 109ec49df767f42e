#include "outcome.hpp"

namespace flags {

Outcome by_x86_64_v3() {
  return outcome<aila::backend::Cpu>();
}

}  // namespace flags
