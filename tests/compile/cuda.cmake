# Checks that the headers of description, plan, layers, policies, losses and optimisers are CUDA C++ too, with no Eigen and no xsimd
# behind them, and that their bodies are compiled for a device.
#
#     cmake -DNVCC=nvcc -DSOURCE=tests/compile/descriptions.cu -P tests/compile/cuda.cmake        in the repository's root
cmake_minimum_required(VERSION 3.25)
# What is constexpr is code of a device too.
set(compile ${NVCC} -std=c++20 -x cu --expt-relaxed-constexpr -Iinclude)

execute_process(COMMAND ${compile} -M ${SOURCE} OUTPUT_VARIABLE headers ERROR_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(NOTICE "${output}")
  message(FATAL_ERROR "nvcc cannot read ${SOURCE}.")
endif()
if(headers MATCHES "[^ \n]*/(Eigen|xsimd)/[^ \n]*")
  message(FATAL_ERROR "${SOURCE} includes ${CMAKE_MATCH_0}")
endif()
execute_process(COMMAND ${compile} -Werror all-warnings -c -o /dev/null ${SOURCE}
                OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(NOTICE "${output}")
  message(FATAL_ERROR "nvcc refuses ${SOURCE}.")
endif()
