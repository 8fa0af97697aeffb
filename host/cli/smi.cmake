# The commands that read SMI files. Included by host/cli/CMakeLists.txt.
trammel_library(host_cli_smi
  SOURCES cmd_convert.c cmd_lint.c smi_inputs.c
  DEPENDS smi)
