# The two kinds of target there are: a folder's library, and a program.

# trine_library(NAME SOURCES... [DEPENDS targets...])
#
# The library of the current folder. Only the folder's include/ is visible to others, and only DEPENDS are
# visible to it: a forbidden include does not compile.
function(trine_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  if(NOT ARG_SOURCES)
    add_library(trine_${name} INTERFACE)
    target_include_directories(trine_${name} INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}/include)
    return()
  endif()
  add_library(trine_${name} STATIC ${ARG_SOURCES})
  target_include_directories(trine_${name}
    PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include
    PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(trine_${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE} trine_compile_options)
endfunction()

# trine_program(NAME SOURCES... LINKS targets... [STATIC])
function(trine_program name)
  cmake_parse_arguments(ARG "STATIC" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} trine_compile_options)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  if(ARG_STATIC AND TRINE_STATIC)
    target_link_options(${name} PRIVATE -static)
  endif()
endfunction()
