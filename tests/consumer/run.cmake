# Configures, builds and runs one of the consumer projects: `installed`, for which aila is installed into a fresh prefix that
# is then moved to another place, `subdirectory`, or `fetched`.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGV} OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  list(JOIN ARGV " " command)
  message(NOTICE "${command}\n${output}")
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "The last command above failed.")
  endif()
endfunction()

# configure(<source folder> <build folder> [<option>...]) sets the variable `configure` to that command.
macro(configure source build)
  set(configure ${CMAKE_COMMAND} -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER} -S ${source} -B ${build} ${ARGN})
endmacro()

# find(<name> <arguments of find_package> [<option>...]) sets `configure` to a project that only looks for the package.
macro(find name arguments)
  file(WRITE ${BINARY_DIR}/${name}/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)\nproject(${name} LANGUAGES CXX)\n"
       "find_package(${arguments})\nadd_library(uses INTERFACE)\ntarget_link_libraries(uses INTERFACE aila::aila)\n")
  configure(${BINARY_DIR}/${name} ${BINARY_DIR}/${name}/build -DCMAKE_PREFIX_PATH=${BINARY_DIR}/prefix ${ARGN})
endmacro()

file(REMOVE_RECURSE ${BINARY_DIR})
set(options -DCMAKE_BUILD_TYPE=Release)
if(WAY STREQUAL "installed")
  run(${CMAKE_COMMAND} --install ${AILA_BINARY_DIR} --prefix ${BINARY_DIR}/first)
  file(RENAME ${BINARY_DIR}/first ${BINARY_DIR}/prefix)
  list(APPEND options -DCMAKE_PREFIX_PATH=${BINARY_DIR}/prefix)
elseif(WAY STREQUAL "fetched")
  set(options "-DINCLUDE_FOLDERS=${INCLUDE_FOLDERS}")
endif()
configure(${CMAKE_CURRENT_LIST_DIR}/${WAY} ${BINARY_DIR}/build ${options})
run(${configure})
run(${CMAKE_COMMAND} --build ${BINARY_DIR}/build)
run(${BINARY_DIR}/build/consumer)

if(WAY STREQUAL "fetched")
  run(${CMAKE_COMMAND} --install ${BINARY_DIR}/build --prefix ${BINARY_DIR}/prefix)
  find(without_xsimd "aila CONFIG REQUIRED" -DCMAKE_DISABLE_FIND_PACKAGE_xsimd=ON)
  run(${configure})
elseif(WAY STREQUAL "installed")
  foreach(request IN ITEMS "aila CONFIG REQUIRED COMPONENTS quantum:The[ \n]+component[ \n]+quantum"
                           "aila 99 CONFIG REQUIRED:compatible[ \n]+with[ \n]+requested[ \n]+version")
    string(REGEX MATCH "^([^:]*):(.*)$" parts "${request}")
    set(sentence "${CMAKE_MATCH_2}")
    set(arguments "${CMAKE_MATCH_1}")
    find(refused "${arguments}")
    execute_process(COMMAND ${configure} OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
    if(result EQUAL 0 OR NOT output MATCHES "${sentence}")
      message(NOTICE "${output}")
      message(FATAL_ERROR "find_package(${arguments}) should have failed with '${sentence}'.")
    endif()
  endforeach()
endif()
