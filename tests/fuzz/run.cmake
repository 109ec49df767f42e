# Runs one fuzzer for a while on the inputs that it has gathered by now, and fails where it finds anything.
set(artifacts ${INPUTS}/../findings)
file(MAKE_DIRECTORY ${artifacts})
execute_process(
  COMMAND ${FUZZER} -max_total_time=${SECONDS} -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
          -artifact_prefix=${artifacts}/${LOADER}- ${INPUTS}/${LOADER}
  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${output}\n${LOADER}: a finding, its input is in ${artifacts}")
endif()
string(REGEX MATCH "number_of_executed_units: *([0-9]+)" matched "${output}")
set(runs ${CMAKE_MATCH_1})
string(REGEX MATCH "average_exec_per_sec: *([0-9]+)" matched "${output}")
message(STATUS "${LOADER}: no finding in ${runs} runs, ${CMAKE_MATCH_1} a second for ${SECONDS} s")
