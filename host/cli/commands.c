#include "host/cli/cmds.h"

const struct command commands[] = {
    {"conformance run", "run the conformance suite against a mesh", &cmd_conformance_run_argp, cmd_conformance_run},
    {"conformance list", "list the suite's cases", &cmd_conformance_list_argp, cmd_conformance_list},
    {"conformance show", "show one case: why, resources, checks", &cmd_conformance_show_argp, cmd_conformance_show},
    {"conformance runs", "list interrupted runs, which can be gone on with", &cmd_conformance_runs_argp,
     cmd_conformance_runs},
    {"conformance diff", "say what changed between two reports", &cmd_conformance_diff_argp, cmd_conformance_diff},
    {"report render", "write a kept JSON report in other formats", &cmd_report_render_argp, cmd_report_render},
    {"report sign", "sign a report, or any other file", &cmd_report_sign_argp, cmd_report_sign},
    {"report verify", "check a file's signature", &cmd_report_verify_argp, cmd_report_verify},
    {"report keygen", "make a key pair for signing", &cmd_report_keygen_argp, cmd_report_keygen},
    {"lint", "check SMI resources and say what is wrong, where", &cmd_lint_argp, cmd_lint},
    {"convert", "convert SMI resources between versions", &cmd_convert_argp, cmd_convert},
    {"adapter list", "list the adapters there are, and why some are refused", &cmd_adapter_list_argp, cmd_adapter_list},
    {"adapter show", "show what an adapter is and can do", &cmd_adapter_show_argp, cmd_adapter_show},
    {"doctor", "say what this machine offers, and whether adapters are confined", &cmd_doctor_argp, cmd_doctor},
    {"cleanup", "remove what crashed runs left behind", &cmd_cleanup_argp, cmd_cleanup},
    {"completion", "print a completion script for bash, zsh or fish", &cmd_completion_argp, cmd_completion},
    {0},
};
