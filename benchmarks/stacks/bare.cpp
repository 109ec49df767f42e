#include "stacks.hpp"

void stacks::add_bare() {
  add<BareNet<48, 16, 4, 64>>("bare", 4, 64, 64);
  add<BareNet<200, 100, 4, 64>>("bare", 4, 64, 64);
  add<BareNet<12, 1, 4, 64>>("bare", 4, 64, 32);
}
