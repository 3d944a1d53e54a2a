# What trine needs from the system. A missing library is reported by the name of its Debian package.

find_package(PkgConfig)
if(NOT PkgConfig_FOUND)
  message(FATAL_ERROR "pkg-config is missing: apt-get install pkg-config")
endif()

# trine_find_pkg(TARGET MODULE DEBIAN_PACKAGE [STATIC archive...])
#
# Makes the interface target dep::TARGET from pkg-config's MODULE. A static build links the named archives
# in place of the shared libraries: pkg-config's own static list drags in libraries that trine does not use.
function(trine_find_pkg name module package)
  cmake_parse_arguments(ARG "" "" "STATIC" ${ARGN})
  pkg_check_modules(${name} QUIET ${module})
  if(NOT ${name}_FOUND)
    message(FATAL_ERROR "${module} is missing: apt-get install ${package}")
  endif()
  add_library(dep_${name} INTERFACE)
  add_library(dep::${name} ALIAS dep_${name})
  target_include_directories(dep_${name} SYSTEM INTERFACE ${${name}_INCLUDE_DIRS})
  target_link_directories(dep_${name} INTERFACE ${${name}_LIBRARY_DIRS})
  if(TRINE_STATIC AND ARG_STATIC)
    foreach(archive IN LISTS ARG_STATIC)
      find_library(${name}_${archive}_ARCHIVE NAMES lib${archive}.a)
      if(NOT ${name}_${archive}_ARCHIVE)
        message(FATAL_ERROR "lib${archive}.a is missing: apt-get install ${package} (or -DTRINE_STATIC=OFF)")
      endif()
      target_link_libraries(dep_${name} INTERFACE ${${name}_${archive}_ARCHIVE})
    endforeach()
  else()
    target_link_libraries(dep_${name} INTERFACE ${${name}_LIBRARIES})
  endif()
endfunction()

# The run path, linked statically.
trine_find_pkg(seccomp libseccomp libseccomp-dev STATIC seccomp)
trine_find_pkg(bpf libbpf libbpf-dev STATIC bpf elf z)
trine_find_pkg(nl libnl-3.0 libnl-3-dev STATIC nl-3)

# The image path, a dynamic program of its own.
trine_find_pkg(crypto libcrypto libssl-dev)
trine_find_pkg(zstd libzstd libzstd-dev)
trine_find_pkg(isal libisal libisal-dev)
trine_find_pkg(curl libcurl libcurl4-openssl-dev)

# The systemd cgroup driver, a dynamic program of its own.
trine_find_pkg(systemd libsystemd libsystemd-dev)

find_package(nlohmann_json 3.11 QUIET)
if(NOT nlohmann_json_FOUND)
  message(FATAL_ERROR "nlohmann/json is missing: apt-get install nlohmann-json3-dev")
endif()
find_package(CLI11 2.1 QUIET)
if(NOT CLI11_FOUND)
  message(FATAL_ERROR "CLI11 is missing: apt-get install libcli11-dev")
endif()
find_package(Threads REQUIRED)
if(TRINE_TESTS)
  find_package(Catch2 2.13 QUIET)
  if(NOT Catch2_FOUND)
    message(FATAL_ERROR "Catch2 is missing: apt-get install catch2 (or -DTRINE_TESTS=OFF)")
  endif()
endif()
