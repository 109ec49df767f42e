# A program that compiles as it is, and not with any of its MUST_FAIL_<number>, whatever the compiler says.
#
#     cmake -DCOMPILER=g++ -DSOURCE=tests/host/choice.cpp -DCASES=6 -DOPTIONS=-march=native -P tests/compile/rejected.cmake
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/options.cmake)
string(REPLACE "," ";" options "${OPTIONS}")

execute_process(COMMAND ${compile} ${options} ${SOURCE} RESULT_VARIABLE code ERROR_VARIABLE told)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "${SOURCE} should compile with ${options}:\n${told}")
endif()
foreach(case RANGE 1 ${CASES})
  execute_process(COMMAND ${compile} ${options} -DMUST_FAIL_${case} ${SOURCE} RESULT_VARIABLE code ERROR_VARIABLE told)
  if(code EQUAL 0)
    message(FATAL_ERROR "${SOURCE} should not compile with ${options} and MUST_FAIL_${case}")
  endif()
  if(NOT told MATCHES "is not one bool")
    message(FATAL_ERROR "${SOURCE} with MUST_FAIL_${case} should be refused for its comparison, found:\n${told}")
  endif()
endforeach()
