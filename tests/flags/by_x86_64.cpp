#include "outcome.hpp"

namespace flags {

Outcome by_x86_64() {
  return outcome<aila::backend::Cpu>();
}

}  // namespace flags
