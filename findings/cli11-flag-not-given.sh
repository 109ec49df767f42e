#!/bin/sh
# CLI11 2.1.2, Debian 12's: a flag that fills a std::optional<bool> fills it also where it is not given.
#
# Versions: CLI11 2.1.2 (libcli11-dev 2.1.2+ds-1) and, to compare, 2.4.1 (2.4.1+ds-2, Debian 13's).
# Expected: std::optional<bool> stays empty where neither --flip nor --no-flip is on the command line, as options with a value
#   leave theirs, so that a program can tell "not said" from "no". 2.4.1 does so.
# Found: in 2.1.2 it holds false then. A default that depends on something else is never taken.
# What it means here: examples ask the flag whether it was given (count()), not the optional.
# Output seen:
#   2.1.2: none false, --flip true, --no-flip false
#   2.4.1: none empty, --flip true, --no-flip false
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >ask.cpp <<'CODE'
#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>

int main(int count, char** arguments) {
  CLI::App app;
  std::optional<bool> flip;
  app.add_flag("--flip,!--no-flip", flip, "Mirror images");
  CLI11_PARSE(app, count, arguments);
  std::printf(" %s %s", count > 1 ? arguments[1] : "none", !flip ? "empty" : *flip ? "true" : "false");
}
CODE
for package in 2.1.2+ds-1 2.4.1+ds-2; do
  mkdir "$package"
  curl -fsS -o package.deb "http://deb.debian.org/debian/pool/main/c/cli11/libcli11-dev_${package}_all.deb"
  ar x package.deb
  tar xf data.tar.* -C "$package"
  rm data.tar.*
  c++ -std=c++17 -I"$package/usr/include" ask.cpp -o ask
  echo "${package%+*}:$(./ask),$(./ask --flip),$(./ask --no-flip)"
done >found
cat found
diff - found <<'SEEN'
2.1.2: none false, --flip true, --no-flip false
2.4.1: none empty, --flip true, --no-flip false
SEEN
