# cmake -DPERF=... -DOUT=... -P files.cmake: runs papilio-perf and reads every file that it writes.

file(MAKE_DIRECTORY ${OUT})
set(ENV{PAPILIO_MARK} "told")
set(ENV{SECRET_TOKEN} "not told")
execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND ${PERF} --local 3 -b 1K -e 16K -f 4 -n 2 --runs 2
  --codec int8b,identity,as-many-bytes --rivals gloo --first --csv ${OUT}/perf.csv
  --json ${OUT}/perf.json --gbench-json ${OUT}/gbench.json --plot ${OUT}/perf.svg
  --require papilio-int8b:relerr<=0.01 --require papilio:relerr<=0 --require lost<=0)

function(expect what left right)
  if(NOT left STREQUAL right)
    message(FATAL_ERROR "${what}: ${left} is not ${right}")
  endif()
endfunction()

# The CSV: every line has as many fields as the head. Each system and size has two lines.
file(STRINGS ${OUT}/perf.csv lines)
list(POP_FRONT lines head)
string(REGEX MATCHALL "," commas "${head}")
list(LENGTH commas fields)
foreach(name size count type redop time algbw busbw wrong p50 p99 wire eta relerr lossy)
  if(NOT ",${head}," MATCHES ",${name},")
    message(FATAL_ERROR "the CSV has no column ${name}")
  endif()
endforeach()
foreach(line IN LISTS lines)
  string(REGEX MATCHALL "," commas "${line}")
  list(LENGTH commas here)
  expect("fields of ${line}" ${here} ${fields})
endforeach()

# The JSON.
file(READ ${OUT}/perf.json json)
string(JSON version GET "${json}" schema_version)
expect("schema_version" ${version} 1)
string(JSON peers GET "${json}" topology peers)
expect("peers" ${peers} 3)
string(JSON told GET "${json}" environment PAPILIO_MARK)
expect("PAPILIO_MARK" ${told} "told")
if(json MATCHES "not told")
  message(FATAL_ERROR "the JSON holds a secret variable")
endif()
string(JSON rows LENGTH "${json}" rows)
list(LENGTH lines csv_rows)
math(EXPR twice "2 * ${rows}")
expect("lines of the CSV" ${csv_rows} ${twice})
math(EXPR last "${rows} - 1")
foreach(i RANGE ${last})
  string(JSON wrong GET "${json}" rows ${i} out_of_place wrong)
  expect("wrong elements in row ${i}" ${wrong} 0)
endforeach()

string(JSON lossy GET "${json}" rows 0 lossy)
expect("lossy of papilio-int8b" ${lossy} ON)
string(JSON lossy GET "${json}" rows 1 lossy)
expect("lossy of papilio" ${lossy} OFF)

# The JSON for Google Benchmark's tools.
file(READ ${OUT}/gbench.json json)
string(JSON benchmarks LENGTH "${json}" benchmarks)
expect("benchmarks" ${benchmarks} ${csv_rows})
string(JSON unit GET "${json}" benchmarks 0 time_unit)
expect("time_unit" ${unit} "ns")

# The plot: it has a line for each form of papilio.
file(READ ${OUT}/perf.svg svg)
if(NOT svg MATCHES "^<svg .*</svg>\n$" OR svg MATCHES "nan|inf")
  message(FATAL_ERROR "the SVG is not valid")
endif()
foreach(system papilio "papilio-int8b [(]lossy[)]" papilio-as-many-bytes)
  if(NOT svg MATCHES ">${system}</text>")
    message(FATAL_ERROR "the SVG does not show ${system}")
  endif()
endforeach()

# The plot draws the bound of f32 data, even if int8b is first. With int8b alone it draws the bound
# of int8b.
foreach(codecs "int8b,identity" "int8b")
  execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND ${PERF} --sim 2 --up 100 --codec ${codecs}
    --sizes 64K,1M -n 1 --runs 1 --place out --plot ${OUT}/bound.svg OUTPUT_VARIABLE table)
  if(NOT table MATCHES "\n  papilio-int8b [(]lossy[)] +1048576 ")
    message(FATAL_ERROR "the table does not say that int8b is lossy")
  endif()
  file(READ ${OUT}/bound.svg svg)
  string(REGEX MATCH ">bound, [^<]+<" label "${svg}")
  if(codecs STREQUAL "int8b")
    expect("the bound's name" "${label}" ">bound, papilio-int8b<")
  else()
    expect("the bound's name" "${label}" ">bound, f32<")
  endif()
endforeach()
