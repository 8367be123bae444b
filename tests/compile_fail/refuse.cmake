# Succeeds when COMPILER refuses SOURCE with the error that its first line announces: in the first
# twelve lines of what it prints, where people look, and with no other error that might hide it.
# All that refuses is in headers of either mode; without the others it takes half of the time.

file(STRINGS ${SOURCE} expected LIMIT_COUNT 1)
if(NOT expected MATCHES "^// error: (.+)$")
  message(FATAL_ERROR "${SOURCE} must begin with the line `// error: REGEX`")
endif()
set(expected ${CMAKE_MATCH_1})

execute_process(
  COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C
    ${COMPILER} -std=c++20 -fsyntax-only -D PAPILIO_SEPARATE_COMPILATION -I ${INCLUDE} ${SOURCE}
  RESULT_VARIABLE result ERROR_VARIABLE errors)
if(result EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles, though it should not")
endif()

set(top "")
set(rest "${errors}")
foreach(line RANGE 1 12)
  string(FIND "${rest}" "\n" end)
  if(end EQUAL -1)
    break()
  endif()
  math(EXPR end "${end} + 1")
  string(SUBSTRING "${rest}" 0 ${end} text)
  string(SUBSTRING "${rest}" ${end} -1 rest)
  string(APPEND top "${text}")
endforeach()
if(NOT top MATCHES "error: [^\n]*${expected}")
  message(FATAL_ERROR
    "refused, but without an error in the first twelve lines that says \"${expected}\":\n${errors}")
endif()
string(REGEX MATCHALL "error: " every "${errors}")
list(LENGTH every count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "refused with ${count} errors, where one should say it all:\n${errors}")
endif()
