#include "prompt.hpp"

#include <unistd.h>

#include <cstdio>
#include <iostream>

namespace sentiment {

void answer(const AnyNetwork& network, const Words& words, const Reading& reading, const std::string& text) {
  const auto review = read_review(text, words, reading);
  if (review.tokens.empty()) {
    std::puts("there is no word in it");
    return;
  }
  std::fputs(as_text(review, explain(network, review)).c_str(), stdout);
}

void prompt(const AnyNetwork& network, const Words& words, const Reading& reading) {
  const bool asks = isatty(fileno(stdin)) != 0;
  const auto ask = [&] {
    if (asks) std::fputs("review> ", stdout);
    std::fflush(stdout);
  };
  if (asks) std::puts("Type a review, a line each; an empty line or Ctrl-D ends.");
  ask();
  for (std::string line; std::getline(std::cin, line); ask()) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      if (asks) break;
      continue;
    }
    answer(network, words, reading, line);
    std::puts("");
  }
  if (asks) std::puts("");
}

}  // namespace sentiment
