# papilio_catch_tests(TARGET PROPERTIES...) makes a ctest test of each Catch2 test case in TARGET,
# or of each PAPILIO_TESTS_TOGETHER that follow one another, which tests/together runs.
#
# Catch2's own module does the same, but loses test cases without a word when a name holds a square
# bracket, as "[0, 1)" does. Run as a script after the build, this file asks the program for its
# test cases and writes them down for ctest.

if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(PAPILIO_CATCH_TESTS ${CMAKE_CURRENT_LIST_FILE})
  set(PAPILIO_TESTS_TOGETHER 1 CACHE STRING "How many test cases share a process")
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
        -D "FLAGS=${flags}" -D "PROPERTIES=${ARGN}" -D TESTS=${tests}
        -D TOGETHER=${PAPILIO_TESTS_TOGETHER} -P ${PAPILIO_CATCH_TESTS})
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
function(papilio_write_test name command)
  string(APPEND script "add_test([==[${name}]==] ${command} ${FLAGS})\n"
    "set_tests_properties([==[${name}]==] PROPERTIES ${PROPERTIES})\n")
  set(script "${script}" PARENT_SCOPE)
endfunction()

# Several at once: a file has their patterns.
set(patterns "")
set(count 0)
function(papilio_write_tests_together)
  string(REGEX MATCHALL "\n" length "${patterns}")
  list(LENGTH length length)
  math(EXPR first "${count} - ${length} + 1")
  file(WRITE ${TESTS}.${first}.txt "${patterns}")
  get_filename_component(program ${PROGRAM} NAME)
  set(together ${CMAKE_CURRENT_LIST_DIR}/../tests/together)
  papilio_write_test("${program}: test cases ${first} to ${count}"
    "[==[${together}]==] [==[${PROGRAM}]==] [==[${TESTS}.${first}.txt]==]")
  set(script "${script}" PARENT_SCOPE)
  set(patterns "" PARENT_SCOPE)
endfunction()

foreach(name IN LISTS names)
  string(REPLACE "${open}" "[" name "${name}")
  string(REPLACE "${close}" "]" name "${name}")
  string(REPLACE "${semicolon}" ";" name "${name}")
  string(STRIP "${name}" name)
  if(name STREQUAL "")
    continue()
  endif()
  string(REGEX REPLACE "([][\\,])" "\\\\\\1" pattern "${name}")  # they mean something to Catch2
  if(NOT TOGETHER GREATER 1)
    papilio_write_test("${name}" "[==[${PROGRAM}]==] [==[${pattern}]==]")
    continue()
  endif()
  string(APPEND patterns "${pattern}\n")
  math(EXPR count "${count} + 1")
  math(EXPR rest "${count} % ${TOGETHER}")
  if(rest EQUAL 0)
    papilio_write_tests_together()
  endif()
endforeach()
if(NOT patterns STREQUAL "")
  papilio_write_tests_together()
endif()
file(WRITE ${TESTS} "${script}")
