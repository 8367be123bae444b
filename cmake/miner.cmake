# papilio::miner and papilio::validator: the programs around a model of the user's own. They need no
# LibTorch, and are installed as one component, with the libraries under them.

if(NOT TARGET papilio_run)
  return()
endif()

# What both share: options, checkpoints, and steps that are counted.
set(sources member/options member/prepare trainer/checkpoint trainer/checkpoint_folder
  trainer/safetensors trainer/safetensors_file trainer/training trainer/training_checkpoint)
list(TRANSFORM sources REPLACE "^.+$" "${CMAKE_CURRENT_SOURCE_DIR}/\\0.cpp")
papilio_program_part(papilio_training "${sources}" papilio_run)
target_sources(papilio_training PUBLIC
  FILE_SET HEADERS BASE_DIRS ${CMAKE_CURRENT_SOURCE_DIR} FILES papilio/trainer.hpp)

foreach(part miner validator)
  file(GLOB sources CONFIGURE_DEPENDS ${part}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  list(REMOVE_ITEM sources ${PAPILIO_RUN_SOURCES})
  papilio_program_part(papilio_${part} "${sources}" papilio_training)
  target_sources(papilio_${part} PUBLIC
    FILE_SET HEADERS BASE_DIRS ${CMAKE_CURRENT_SOURCE_DIR} FILES papilio/${part}.hpp)
  add_library(papilio::${part} ALIAS papilio_${part})
endforeach()

# The archives are there if they were built.
set(component COMPONENT miner DESTINATION ${CMAKE_INSTALL_LIBDIR} OPTIONAL)
set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/papilio)
function(papilio_install_archives set)
  install(TARGETS ${ARGN} EXPORT ${set} ARCHIVE ${component}
    FILE_SET HEADERS COMPONENT miner DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT ${set} NAMESPACE papilio:: FILE ${set}-targets.cmake
    COMPONENT miner DESTINATION ${package_dir})
endfunction()
foreach(part program run training miner validator)
  set_target_properties(papilio_${part} PROPERTIES EXPORT_NAME ${part})
endforeach()
papilio_install_archives(papilio_training papilio_program papilio_run papilio_training)
set(pkgconfig_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)
file(RELATIVE_PATH prefix_from_pkgconfig /${pkgconfig_dir} /)
foreach(part miner validator)
  papilio_install_archives(papilio_${part} papilio_${part})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/papilio_model_program.pc.in papilio_${part}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/papilio_${part}.pc
    COMPONENT miner DESTINATION ${pkgconfig_dir})
endforeach()
