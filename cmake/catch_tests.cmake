# papilio_catch_tests(TARGET PROPERTIES...) makes a ctest test of each Catch2 test case in TARGET.
#
# Catch2's own module does the same, but loses test cases without a word when a name holds a square
# bracket, as "[0, 1)" does. Run as a script after the build, this file asks the program for its
# test cases and writes them down for ctest.

if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(PAPILIO_CATCH_TESTS ${CMAKE_CURRENT_LIST_FILE})
  function(papilio_catch_tests target)
    set(tests ${CMAKE_CURRENT_BINARY_DIR}/${target}_tests.cmake)
    set(list --list-test-names-only)
    set(flags --warn NoTests)  # version 3 always does
    if(Catch2_VERSION VERSION_GREATER_EQUAL 3)
      set(list --list-tests --verbosity quiet)
      set(flags "")
    endif()
    add_custom_command(TARGET ${target} POST_BUILD VERBATIM BYPRODUCTS ${tests}
      COMMAND ${CMAKE_COMMAND} -D PROGRAM=$<TARGET_FILE:${target}> -D "LIST=${list}"
        -D "FLAGS=${flags}" -D "PROPERTIES=${ARGN}" -D TESTS=${tests} -P ${PAPILIO_CATCH_TESTS})
    file(WRITE ${tests}.include
      "if(EXISTS [==[${tests}]==])\n  include([==[${tests}]==])\n"
      "else()\n  add_test([==[${target} is not built]==] false)\nendif()\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${tests}.include)
  endfunction()
  return()
endif()

cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ${PROGRAM} ${LIST} OUTPUT_VARIABLE names ERROR_VARIABLE errors)
if(NOT errors STREQUAL "" OR names STREQUAL "")
  message(FATAL_ERROR "${PROGRAM} lists no tests: ${errors}")
endif()

# Brackets and semicolons mean something in CMake's lists; they sit out the splitting.
string(ASCII 1 open)
string(ASCII 2 close)
string(ASCII 3 semicolon)
string(REPLACE "[" "${open}" names "${names}")
string(REPLACE "]" "${close}" names "${names}")
string(REPLACE ";" "${semicolon}" names "${names}")
string(REPLACE "\n" ";" names "${names}")
list(JOIN FLAGS " " FLAGS)
list(JOIN PROPERTIES " " PROPERTIES)

set(script "")
foreach(name IN LISTS names)
  string(REPLACE "${open}" "[" name "${name}")
  string(REPLACE "${close}" "]" name "${name}")
  string(REPLACE "${semicolon}" ";" name "${name}")
  string(STRIP "${name}" name)
  if(name STREQUAL "")
    continue()
  endif()
  string(REGEX REPLACE "([][\\,])" "\\\\\\1" pattern "${name}")  # they mean something to Catch2
  string(APPEND script "add_test([==[${name}]==] [==[${PROGRAM}]==] [==[${pattern}]==] ${FLAGS})\n"
    "set_tests_properties([==[${name}]==] PROPERTIES ${PROPERTIES})\n")
endforeach()
file(WRITE ${TESTS} "${script}")
