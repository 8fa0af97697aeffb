/* Every command's entry point and argp, for the table in commands.c. */
#ifndef TRAMMEL_HOST_CLI_CMDS_H
#define TRAMMEL_HOST_CLI_CMDS_H

#include "host/cli/command.h"

#define DECLARE_COMMAND(name)                                                                                          \
  int name(int argc, char **argv);                                                                                     \
  extern const struct argp name##_argp

DECLARE_COMMAND(cmd_conformance_run);
DECLARE_COMMAND(cmd_conformance_list);
DECLARE_COMMAND(cmd_conformance_show);
DECLARE_COMMAND(cmd_conformance_runs);
DECLARE_COMMAND(cmd_conformance_diff);
DECLARE_COMMAND(cmd_report_render);
DECLARE_COMMAND(cmd_report_sign);
DECLARE_COMMAND(cmd_report_verify);
DECLARE_COMMAND(cmd_report_keygen);
DECLARE_COMMAND(cmd_runs_list);
DECLARE_COMMAND(cmd_runs_show);
DECLARE_COMMAND(cmd_runs_attach);
DECLARE_COMMAND(cmd_runs_cancel);
DECLARE_COMMAND(cmd_runs_report);
DECLARE_COMMAND(cmd_lint);
DECLARE_COMMAND(cmd_convert);
DECLARE_COMMAND(cmd_translate);
DECLARE_COMMAND(cmd_inventory);
DECLARE_COMMAND(cmd_apply);
DECLARE_COMMAND(cmd_delete);
DECLARE_COMMAND(cmd_diff);
DECLARE_COMMAND(cmd_mesh_list);
DECLARE_COMMAND(cmd_mesh_detect);
DECLARE_COMMAND(cmd_mesh_enroll);
DECLARE_COMMAND(cmd_mesh_metrics);
DECLARE_COMMAND(cmd_watch);
DECLARE_COMMAND(cmd_perf_run);
DECLARE_COMMAND(cmd_perf_compare);
DECLARE_COMMAND(cmd_perf_export);
DECLARE_COMMAND(cmd_perf_report);
DECLARE_COMMAND(cmd_perf_meshmark);
DECLARE_COMMAND(cmd_perf_search);
DECLARE_COMMAND(cmd_perf_save);
DECLARE_COMMAND(cmd_perf_list);
DECLARE_COMMAND(cmd_perf_show);
DECLARE_COMMAND(cmd_perf_delete);
DECLARE_COMMAND(cmd_perf_worker);
DECLARE_COMMAND(cmd_adapter_list);
DECLARE_COMMAND(cmd_adapter_show);
DECLARE_COMMAND(cmd_adapter_new);
DECLARE_COMMAND(cmd_adapter_test);
DECLARE_COMMAND(cmd_adapter_check);
DECLARE_COMMAND(cmd_adapter_pack);
DECLARE_COMMAND(cmd_adapter_sign);
DECLARE_COMMAND(cmd_adapter_install);
DECLARE_COMMAND(cmd_adapter_upgrade);
DECLARE_COMMAND(cmd_adapter_rollback);
DECLARE_COMMAND(cmd_adapter_remove);
DECLARE_COMMAND(cmd_adapter_verify);
DECLARE_COMMAND(cmd_adapter_trust_add);
DECLARE_COMMAND(cmd_adapter_trust_list);
DECLARE_COMMAND(cmd_adapter_trust_remove);
DECLARE_COMMAND(cmd_adapter_index_add);
DECLARE_COMMAND(cmd_adapter_index_list);
DECLARE_COMMAND(cmd_adapter_index_show);
DECLARE_COMMAND(cmd_adapter_index_remove);
DECLARE_COMMAND(cmd_adapter_index_make);
DECLARE_COMMAND(cmd_login);
DECLARE_COMMAND(cmd_logout);
DECLARE_COMMAND(cmd_whoami);
DECLARE_COMMAND(cmd_user_add);
DECLARE_COMMAND(cmd_user_list);
DECLARE_COMMAND(cmd_user_role);
DECLARE_COMMAND(cmd_user_remove);
DECLARE_COMMAND(cmd_user_passwd);
DECLARE_COMMAND(cmd_token_create);
DECLARE_COMMAND(cmd_token_list);
DECLARE_COMMAND(cmd_token_revoke);
DECLARE_COMMAND(cmd_doctor);
DECLARE_COMMAND(cmd_cleanup);
DECLARE_COMMAND(cmd_completion);

#endif
