# Headers that nvcc reads assign no `{.name = ...}` without its type: in a template nvcc drops the names
# (findings/nvcc-assigned-designators.sh).
#
#     cmake -P tests/compile/designators.cmake          in the repository's root
cmake_minimum_required(VERSION 3.25)
# What is assigned to has no type before it: a name with members and elements, at a line's begin or behind a condition.
set(assignment "(^|[;{)] *|^ +)[A-Za-z_][A-Za-z0-9_]*([.>-]+[A-Za-z_][A-Za-z0-9_]*|\\[[^]]*\\])* = \\{\\.")
if(NOT "    entry.slot = {.input = 1};" MATCHES "${assignment}" OR NOT "  if (a < b) read[reads] = {.value = v};" MATCHES "${assignment}" OR
   "    const Piece piece = {.begin = 1};" MATCHES "${assignment}" OR "  x = Type{.a = 1};" MATCHES "${assignment}")
  message(FATAL_ERROR "the pattern of an assignment does not tell what it is to tell")
endif()
file(GLOB_RECURSE headers RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} include/aila/*.hpp include/aila/*.cuh)
set(faults "")
foreach(header IN LISTS headers)
  file(READ ${header} text)
  string(REGEX REPLACE "=\n *{" "= {" text "${text}")
  string(REPLACE ";" "," text "${text}")
  string(REPLACE "\n" ";" lines "${text}")
  foreach(line IN LISTS lines)
    if(line MATCHES "${assignment}")
      string(APPEND faults "\n  ${header}: ${line}")
    endif()
  endforeach()
endforeach()
if(faults)
  message(FATAL_ERROR "expected the type before {.name = ...} where it is assigned, found:${faults}")
endif()
