# What makes a MODULE library an adapter: one exported symbol, by the version script TRAMMEL_ADAPTER_MAP, and every symbol that it needs
# found when it is linked. In the tree for trammel_adapter(), and installed with the CMake package for adapters outside of it.
function(trammel_adapter_properties name)
  target_link_options(${name} PRIVATE
    -Wl,--version-script=${TRAMMEL_ADAPTER_MAP} -Wl,--no-undefined -Wl,-z,defs
    -Wl,--as-needed) # libraries of the SDK that this adapter does not use are none of its own
  set_target_properties(${name} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden LINK_DEPENDS ${TRAMMEL_ADAPTER_MAP})
endfunction()
