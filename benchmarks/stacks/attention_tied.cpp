#include "stacks.hpp"

void stacks::add_attention_tied() {
  add_policy<aila::integrate::Attention<aila::TiedValues>>("attention_tied");
}
