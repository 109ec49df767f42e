#!/bin/sh
# CLI11 2.1.2 (Debian 12, libcli11-dev 2.1.2+ds-1): a flag that is bound to a std::optional<bool>.
#
# Expected: as an option bound to a std::optional, it stays empty where the command line does not name it, so that "not
# given" and "no" can be told apart.
# Seen: add_flag takes std::optional<bool> for a counter, since it can be made from a number: it sets it to 0, which is false,
# when the flag is declared, and an option bound to the same type stays empty.
# Needs apt-get, dpkg-deb and g++. Fails where this changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download libcli11-dev=2.1.2+ds-1 >/dev/null 2>&1
dpkg-deb -x libcli11-dev_*.deb package

cat >program.cpp <<'END'
#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
const char* text(std::optional<bool> b) { return !b ? "empty" : *b ? "true" : "false"; }
int main(int argc, char** argv) {
  CLI::App app;
  std::optional<bool> flag, option;
  app.add_flag("--flag,!--no-flag", flag);
  app.add_option("--option", option);
  CLI11_PARSE(app, argc, argv);
  std::printf("flag %s, option %s\n", text(flag), text(option));
}
END
g++ -std=c++17 -Ipackage/usr/include program.cpp -o program
{ ./program; ./program --flag --option true; ./program --no-flag; } >seen
cat seen
cat >expected <<'END'
flag false, option empty
flag true, option true
flag false, option empty
END
cmp seen expected
