# How aila's own tests, examples and benchmarks are compiled. None of it reaches a program that uses the library.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(aila_warnings -Wall -Wextra -Wpedantic -Wconversion)
if(AILA_WERROR)
  list(APPEND aila_warnings -Werror)
endif()

add_library(aila_development INTERFACE)
# g++ collects garbage from 512 MB of memory on, and not from 128: 5 to 7 % less time a unit.
# AILA_GNU_OPTIONS is what g++ alone is told: the preset test leaves out two passes of its optimiser (known bits, what pointers
# point to) that take 10 to 15 % of a unit's time; the digests stay as they are.
target_compile_options(
  aila_development INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${aila_warnings}>"
                             $<$<AND:$<BOOL:${AILA_WERROR}>,$<COMPILE_LANG_AND_ID:CUDA,NVIDIA>>:--Werror=all-warnings>
                             $<$<AND:$<BOOL:${AILA_NATIVE}>,$<COMPILE_LANGUAGE:CXX>>:-march=native>
                             "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:--param=ggc-min-heapsize=524288;${AILA_GNU_OPTIONS}>")
target_link_libraries(aila_development INTERFACE aila::aila)

# join_files(<target>): with AILA_JOIN_FILES, eight files of a target are compiled as one unit. Not where it has code for GPUs, which
# is long to compile and shares little.
function(join_files target)
  if(AILA_JOIN_FILES AND NOT AILA_CUDA STREQUAL "ON")
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# What does not ask for other options takes its kernels from here, compiled once.
aila_add_kernels(aila_kernels SCALARS float double)
target_link_libraries(aila_kernels PRIVATE aila_development)
