# Prints how long the compiler takes for the header, for placing networks, and for all that training and predicting need.
#
#     cmake -DCOMPILER=g++ -P benchmarks/compile_time/compile_time.cmake                      in the repository's root
#
# Times are of the wall clock: the machine must be idle. Bounds: include 2 s, training 10 s, of 64 layers 12 s, depth 64 for 4 3 s more to place.
cmake_minimum_required(VERSION 3.25)

function(measure name)
  string(TIMESTAMP begin "%s%f")
  execute_process(COMMAND ${COMPILER} -std=c++20 -Iinclude ${ARGN} -c -o /dev/null
                          benchmarks/compile_time/network.cpp COMMAND_ERROR_IS_FATAL ANY)
  string(TIMESTAMP end "%s%f")
  math(EXPR hundredths "(${end} - ${begin}) / 10000 + 1000000")
  string(REGEX REPLACE "^10*([0-9]+)([0-9][0-9])$" "\\1.\\2 s" seconds ${hundredths})
  message(NOTICE "compile/${name}: ${seconds}")
endfunction()

measure(include -O0)
foreach(policy IN ITEMS None Residual DenseNet Linear<> Attention<>)
  string(REGEX REPLACE "[<>]" "" name ${policy})
  string(TOLOWER ${name} name)
  foreach(depth IN ITEMS 4 64)
    measure(place/policy:${name}/depth:${depth} -O0 -DPLACE -DPOLICY=${policy} -DDEPTH=${depth})
  endforeach()
endforeach()
foreach(flags IN ITEMS -O2 "-O3;-march=native")
  list(JOIN flags "" text)
  measure(train/policy:attention/depth:4/flags:${text} ${flags} "-DPOLICY=Attention<>" -DDEPTH=4)
endforeach()
measure(train/policy:attention/depth:64/flags:-O2 -O2 "-DPOLICY=Attention<>" -DDEPTH=64)
# What aila_add_kernels leaves to a unit, where the kernels are compiled elsewhere.
measure(train/policy:attention/depth:4/flags:-O2/kernels:elsewhere -O2 -DAILA_COMPILED_FLOAT_KERNELS "-DPOLICY=Attention<>" -DDEPTH=4)
