# Where aila's dependencies come from: a target the host project already has, else an installed package, else a pinned
# archive. FETCHCONTENT_SOURCE_DIR_<NAME> names a source folder to use in place of both package and archive.
include(FetchContent)

# aila_dependency(<name> TARGET <target> VERSION <at least> [HEADERS <folder>] URL <archive> SHA256 <hash>)
# says where to find one. With HEADERS, the archive is used for that folder alone and its CMake files do not run: those of
# some releases need policies that newer CMake has removed, and none of their options, tests and install rules reach a host.
macro(aila_dependency name)
  cmake_parse_arguments(aila_${name} "" "TARGET;VERSION;HEADERS;URL;SHA256" "" ${ARGN})
endmacro()

aila_dependency(xsimd TARGET xsimd VERSION 8.0 HEADERS include
  URL https://github.com/xtensor-stack/xsimd/archive/refs/tags/8.1.0.tar.gz
  SHA256 d52551360d37709675237d2a0418e28f70995b5b7cdad7c674626bcfbbf48328)
aila_dependency(Eigen3 TARGET Eigen3::Eigen VERSION 3.4 HEADERS .
  URL https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.gz
  SHA256 8586084f71f9bde545ee7fa6d00288b264a2b7ac3607b974e54d13e7162c1c72)
aila_dependency(nlohmann_json TARGET nlohmann_json::nlohmann_json VERSION 3.10 HEADERS include
  URL https://github.com/nlohmann/json/archive/refs/tags/v3.11.2.tar.gz
  SHA256 d69f9deb6a75e2580465c6c4c5111b89c4dc2fa94e3a85fcd2ffcd9a143d9273)
aila_dependency(CLI11 TARGET CLI11::CLI11 VERSION 2.1 HEADERS include
  URL https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.3.2.tar.gz
  SHA256 aac0ab42108131ac5d3344a9db0fdf25c4db652296641955720a4fbe52334e22)
aila_dependency(doctest TARGET doctest::doctest VERSION 2.4 HEADERS .
  URL https://github.com/doctest/doctest/archive/refs/tags/v2.4.11.tar.gz
  SHA256 632ed2c05a7f53fa961381497bf8069093f0d6628c5f26286161fbd32a560186)
aila_dependency(benchmark TARGET benchmark::benchmark VERSION 1.7
  URL https://github.com/google/benchmark/archive/refs/tags/v1.7.1.tar.gz
  SHA256 6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7)

# aila_need(<name>) makes the dependency's target usable from every folder. Where it was fetched, aila_<name>_fetched is set
# in the caller to the folder of its headers, or of its sources if it is compiled.
function(aila_need name)
  set(target ${aila_${name}_TARGET})
  if(TARGET ${target})
    return()
  endif()
  string(TOUPPER ${name} upper)
  string(TOLOWER ${name} lower)
  if(NOT FETCHCONTENT_SOURCE_DIR_${upper})
    find_package(${name} CONFIG QUIET GLOBAL)
    if(TARGET ${target} AND ${name}_VERSION VERSION_GREATER_EQUAL aila_${name}_VERSION)
      message(STATUS "aila: ${name} ${${name}_VERSION} found in ${${name}_DIR}")
      return()
    endif()
    if(TARGET ${target})
      message(FATAL_ERROR "aila needs ${name} ${aila_${name}_VERSION} or newer, and ${${name}_DIR} is ${${name}_VERSION}; "
                          "-DCMAKE_DISABLE_FIND_PACKAGE_${name}=ON fetches one.")
    endif()
    message(STATUS "aila: ${name} is not installed; fetching ${aila_${name}_URL}")
  endif()

  if(NOT DEFINED aila_${name}_HEADERS)
    set(BENCHMARK_ENABLE_TESTING OFF)
    set(BENCHMARK_ENABLE_INSTALL OFF)
    set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
    FetchContent_Declare(${name} URL ${aila_${name}_URL} URL_HASH SHA256=${aila_${name}_SHA256} SYSTEM)
    FetchContent_MakeAvailable(${name})
    set(aila_${name}_fetched ${${lower}_SOURCE_DIR} PARENT_SCOPE)
    return()
  endif()
  FetchContent_Declare(${name} URL ${aila_${name}_URL} URL_HASH SHA256=${aila_${name}_SHA256} SOURCE_SUBDIR headers-only)
  FetchContent_MakeAvailable(${name})
  cmake_path(SET headers NORMALIZE ${${lower}_SOURCE_DIR}/${aila_${name}_HEADERS})
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} INTERFACE ${headers})
  set(aila_${name}_fetched ${headers} PARENT_SCOPE)
endfunction()
