# The commands that read SMI files. Included by host/cli/CMakeLists.txt.
trammel_library(host_cli_smi
  SOURCES cluster_options.c cmd_convert.c cmd_inventory.c cmd_lint.c inventory_input.c smi_inputs.c text_table.c
  DEPENDS host_inventory host_engine smi)
