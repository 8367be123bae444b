# papilio-probe: CLI11, nlohmann-json, fmt, papilio::tcp. It needs no LibTorch, so that it runs on
# bare machines; what it shares with the miner is compiled for both.

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

file(GLOB sources CONFIGURE_DEPENDS probe/*.cpp)
list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
foreach(shared checks command_line endpoint log_line logging program signals)
  list(APPEND sources member/${shared}.cpp)
endforeach()
add_library(papilio_probe STATIC ${sources})
target_include_directories(papilio_probe PUBLIC ${PROJECT_SOURCE_DIR}/examples)
target_link_libraries(papilio_probe PRIVATE papilio_dev PUBLIC papilio::tcp
  nlohmann_json::nlohmann_json fmt::fmt CLI11::CLI11)
target_precompile_headers(papilio_probe PRIVATE <CLI/CLI.hpp> <nlohmann/json.hpp>)

add_executable(papilio-probe probe/main.cpp)
target_link_libraries(papilio-probe PRIVATE papilio_dev papilio_probe)
install(TARGETS papilio-probe COMPONENT programs)
