# Succeeds when COMPILER refuses SOURCE with the error that its first line announces.

file(STRINGS ${SOURCE} expected LIMIT_COUNT 1)
if(NOT expected MATCHES "^// error: (.+)$")
  message(FATAL_ERROR "${SOURCE} must begin with the line `// error: REGEX`")
endif()
set(expected ${CMAKE_MATCH_1})

execute_process(
  COMMAND ${COMPILER} -std=c++20 -fsyntax-only -I ${INCLUDE} ${SOURCE}
  RESULT_VARIABLE result ERROR_VARIABLE errors)
if(result EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles, though it should not")
endif()
if(NOT errors MATCHES "error: [^\n]*${expected}")
  message(FATAL_ERROR "refused, but without an error that says \"${expected}\":\n${errors}")
endif()
