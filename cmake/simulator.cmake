# papilio-sim, and what its tests share with it: the latter needs nothing but the library.

file(GLOB sources CONFIGURE_DEPENDS sim/*.cpp)
list(FILTER sources EXCLUDE REGEX "/(main|options)\\.cpp$")
add_library(papilio_simulator STATIC ${sources})
target_include_directories(papilio_simulator PUBLIC ${PROJECT_SOURCE_DIR}/examples)
target_link_libraries(papilio_simulator PUBLIC papilio_dev)
papilio_unite(papilio_simulator)

if(TARGET papilio_program)
  add_executable(papilio-sim sim/main.cpp sim/options.cpp)
  target_link_libraries(papilio-sim PRIVATE papilio_dev papilio_simulator papilio_program)
  install(TARGETS papilio-sim COMPONENT programs)
else()
  message(STATUS "papilio: no papilio-sim, since there is no papilio-probe")
endif()
