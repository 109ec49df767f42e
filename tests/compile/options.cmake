# The options with which tests/compile/*.cpp are compiled.
set(compile_options -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Iinclude ${INCLUDE_OPTIONS})
