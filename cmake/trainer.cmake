# papilio-miner and papilio-validator: papilio::miner and papilio::validator around a GPT-2 by
# LibTorch.
#
# A unit that includes LibTorch's headers may cost its compiler 1.6 GB, so that only as many compile
# at a time as the machine has memory for. Clang refuses these headers in C++20.

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  message(STATUS "papilio: no miner and no validator: LibTorch's headers need g++")
  return()
endif()
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # the tests link these libraries, too
find_package(Torch QUIET)
if(NOT Torch_FOUND OR NOT TARGET papilio_training)
  message(STATUS "papilio: no miner and no validator: missing Torch, or what papilio::miner needs")
  return()
endif()

cmake_host_system_information(RESULT memory_mib QUERY TOTAL_PHYSICAL_MEMORY)
math(EXPR units "${memory_mib} / 4096 + 1")
set_property(GLOBAL APPEND PROPERTY JOB_POOLS torch=${units})

file(GLOB sources CONFIGURE_DEPENDS trainer/*.cpp)
get_target_property(without_torch papilio_training SOURCES)
list(REMOVE_ITEM sources ${without_torch} ${PAPILIO_RUN_SOURCES})
papilio_program_part(papilio_trainer "${sources}" papilio_training ${TORCH_LIBRARIES})
set_target_properties(papilio_trainer PROPERTIES JOB_POOL_COMPILE torch)

foreach(part miner validator)
  add_executable(papilio-${part} ${part}/main.cpp)
  target_link_libraries(papilio-${part} PRIVATE papilio_dev papilio_${part} papilio_trainer)
  set_target_properties(papilio-${part} PROPERTIES JOB_POOL_COMPILE torch)
  install(TARGETS papilio-${part} COMPONENT programs)
endforeach()
