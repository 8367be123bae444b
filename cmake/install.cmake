# Installs the headers, the CMake package (find_package(papilio COMPONENTS tcp compiled ...)) and
# .pc files; the compiled library, whose archive is of one architecture, as a component of its own.

include(CMakePackageConfigHelpers)
# Headers are the same on every architecture, hence share/. The .pc files find their prefix from
# where they lie.
set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/papilio)
set(pkgconfig_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)
file(RELATIVE_PATH prefix_from_pkgconfig /${pkgconfig_dir} /)

# One export set for each component, so that a missing dependency costs that component only.
function(papilio_install_component target)
  install(TARGETS ${target} EXPORT ${target} COMPONENT papilio
    FILE_SET HEADERS COMPONENT papilio DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILE_SET internals COMPONENT papilio DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILE_SET definitions COMPONENT papilio DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT ${target} NAMESPACE papilio:: FILE ${target}-targets.cmake
    COMPONENT papilio DESTINATION ${package_dir})
  configure_file(cmake/${target}.pc.in ${target}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${target}.pc COMPONENT papilio DESTINATION ${pkgconfig_dir})
endfunction()

papilio_install_component(papilio)
set_target_properties(papilio_cuda PROPERTIES EXPORT_NAME cuda)
papilio_install_component(papilio_cuda)
foreach(component tcp security)
  if(TARGET papilio_${component})
    set_target_properties(papilio_${component} PROPERTIES EXPORT_NAME ${component})
    papilio_install_component(papilio_${component})
  endif()
endforeach()

set_target_properties(papilio_compiled PROPERTIES EXPORT_NAME compiled)
install(TARGETS papilio_compiled EXPORT papilio_compiled
  ARCHIVE COMPONENT compiled DESTINATION ${CMAKE_INSTALL_LIBDIR} OPTIONAL  # if it was built
  FILE_SET HEADERS COMPONENT papilio DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT papilio_compiled NAMESPACE papilio:: FILE papilio_compiled-targets.cmake
  COMPONENT compiled DESTINATION ${package_dir})
configure_file(cmake/papilio_compiled.pc.in papilio_compiled.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/papilio_compiled.pc
  COMPONENT compiled DESTINATION ${pkgconfig_dir})

configure_package_config_file(cmake/papilio-config.cmake.in papilio-config.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(papilio-config-version.cmake COMPATIBILITY SameMinorVersion
  ARCH_INDEPENDENT)
install(FILES
  ${PROJECT_BINARY_DIR}/papilio-config.cmake
  ${PROJECT_BINARY_DIR}/papilio-config-version.cmake
  cmake/FindAsio.cmake
  COMPONENT papilio DESTINATION ${package_dir})
