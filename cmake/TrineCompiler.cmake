# How every target of trine is compiled. Warnings are errors: a warning left in place hides the next one.

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# -Os: a start is a few milliseconds of which most is the kernel's; what counts is how much of the program it maps.
# Folders that work through bytes ask for -O2 themselves.
string(REPLACE "-O3" "-Os" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

add_library(trine_compile_options INTERFACE)
target_compile_options(trine_compile_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers -Wimplicit-fallthrough -Werror
  # GCC 12 sees overlaps in std::string's operator+ that are not there (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>
  -fstack-protector-strong -ffunction-sections -fdata-sections)
target_compile_definitions(trine_compile_options INTERFACE
  _GNU_SOURCE _FILE_OFFSET_BITS=64 TRINE_VERSION="${PROJECT_VERSION}")
if(NOT TRINE_SANITIZE)
  target_compile_definitions(trine_compile_options INTERFACE $<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>)
endif()
target_link_options(trine_compile_options INTERFACE -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now)

if(TRINE_SANITIZE)
  target_compile_options(trine_compile_options INTERFACE
    -fsanitize=${TRINE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(trine_compile_options INTERFACE -fsanitize=${TRINE_SANITIZE})
  set(TRINE_STATIC OFF)  # the sanitizers' run-time libraries are dynamic
endif()
