# papilio-probe: CLI11, nlohmann-json, fmt, papilio::tcp. It needs no LibTorch, so that it runs on
# bare machines. What it shares with the miner is the library papilio_program.

if(CMAKE_CXX_FLAGS MATCHES "-fsanitize" AND NOT PAPILIO_BUILD_TRAINER)
  return()  # its tests are among the trainer's
endif()
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # the tests link these libraries, too
set(missing "")
foreach(package CLI11 nlohmann_json fmt Asio)
  find_package(${package} QUIET)
  if(NOT ${package}_FOUND)
    list(APPEND missing ${package})
  endif()
endforeach()
if(missing)
  message(STATUS "papilio: no papilio-probe: missing ${missing}")
  return()
endif()

# A library NAME of SOURCES, whose public libraries follow. Some are installed (miner.cmake): what
# is ours while we build is no concern of those who link them then.
function(papilio_program_part name sources)
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/examples>)
  target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:papilio_dev>
    PUBLIC papilio_compiled $<BUILD_INTERFACE:papilio::tcp> ${ARGN})
  papilio_unite(${name})
  if(NOT CMAKE_UNITY_BUILD)  # else it is one unit
    target_precompile_headers(${name} PRIVATE <CLI/CLI.hpp> <nlohmann/json.hpp>)
  endif()
endfunction()

set(PAPILIO_PROGRAM_SOURCES checks command_line log_line logging program signals)
list(TRANSFORM PAPILIO_PROGRAM_SOURCES
  REPLACE "^.+$" "${CMAKE_CURRENT_SOURCE_DIR}/member/\\0.cpp")
papilio_program_part(papilio_program "${PAPILIO_PROGRAM_SOURCES}"
  $<BUILD_INTERFACE:nlohmann_json::nlohmann_json> fmt::fmt CLI11::CLI11)
target_compile_definitions(papilio_program PRIVATE PAPILIO_VERSION="${PROJECT_VERSION}")

file(GLOB sources CONFIGURE_DEPENDS probe/*.cpp)
list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
papilio_program_part(papilio_probe "${sources}" papilio_program)

add_executable(papilio-probe probe/main.cpp)
target_link_libraries(papilio-probe PRIVATE papilio_dev papilio_probe)
install(TARGETS papilio-probe COMPONENT programs)
