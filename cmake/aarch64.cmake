# Cross-builds for arm64 with Debian's compiler. The libraries are those of the arm64 lab's user space: Debian packages,
# unpacked into a cache by `tests/lab/lab prepare arm64`, so that this machine's dpkg is not touched.
#
# TRINE_SYSROOT (environment or cache variable) names another root with the -dev packages.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

find_program(TRINE_CROSS_CC aarch64-linux-gnu-gcc)
find_program(TRINE_CROSS_CXX aarch64-linux-gnu-g++)
if(NOT TRINE_CROSS_CC OR NOT TRINE_CROSS_CXX)
  message(FATAL_ERROR "the compiler for arm64 is missing: apt-get install g++-aarch64-linux-gnu")
endif()
set(CMAKE_C_COMPILER ${TRINE_CROSS_CC})
set(CMAKE_CXX_COMPILER ${TRINE_CROSS_CXX})

if(NOT TRINE_SYSROOT)
  if(DEFINED ENV{TRINE_SYSROOT})
    set(TRINE_SYSROOT $ENV{TRINE_SYSROOT})
  elseif(DEFINED ENV{XDG_CACHE_HOME})
    set(TRINE_SYSROOT $ENV{XDG_CACHE_HOME}/trine-lab/roots/arm64)
  else()
    set(TRINE_SYSROOT $ENV{HOME}/.cache/trine-lab/roots/arm64)
  endif()
endif()
if(NOT EXISTS ${TRINE_SYSROOT}/usr/include/aarch64-linux-gnu)
  message(FATAL_ERROR "there are no arm64 libraries in ${TRINE_SYSROOT}: tests/lab/lab prepare arm64")
endif()
get_filename_component(TRINE_SYSROOT ${TRINE_SYSROOT} REALPATH)
set(CMAKE_SYSROOT ${TRINE_SYSROOT})
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TRINE_SYSROOT)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${TRINE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${TRINE_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${TRINE_SYSROOT}/usr/share/pkgconfig)
