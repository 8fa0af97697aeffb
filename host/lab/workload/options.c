#include "host/lab/workload/options.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

const char options_usage[] =
    "usage: trammel-workload --control ADDRESS:PORT [--name NAME] [--listen PROTOCOL:ADDRESS:PORT]...\n"
    "\n"
    "A sample service: it serves HTTP/1.1, h2c, TCP and UDP, and calls others when told to through its control port.\n"
    "\n"
    "  --control ADDRESS:PORT          where to listen for control requests; port 0 takes a free one\n"
    "  --name NAME                     the name it answers with (default: workload)\n"
    "  --listen PROTOCOL:ADDRESS:PORT  serve http (HTTP/1.1 and h2c), tcp or udp; may be repeated\n"
    "  --help, --version\n"
    "\n"
    "Prints \"ready ADDRESS:PORT\" of the control port when it listens. Ends on SIGTERM and SIGINT.\n";

static int add_listener(struct options *options, const char *text, struct error **err) {
  static const struct {
    const char *prefix;
    enum call_protocol protocol;
  } protocols[] = {{"http:", CALL_HTTP1}, {"tcp:", CALL_TCP}, {"udp:", CALL_UDP}};
  if (options->listener_count == SERVER_LISTENERS_MAX)
    return error_set(err, EINVAL, "--listen is given more than %d times", SERVER_LISTENERS_MAX);
  for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
    size_t length = strlen(protocols[i].prefix);
    if (strncmp(text, protocols[i].prefix, length) != 0)
      continue;
    int r = endpoint_parse_text(text + length, &options->listeners[options->listener_count].endpoint, err);
    if (r < 0)
      return error_wrap(err, "--listen");
    options->listeners[options->listener_count++].protocol = protocols[i].protocol;
    return 0;
  }
  return error_set(err, EINVAL, "--listen \"%.80s\" must start with http:, tcp: or udp:", text);
}

static int options_check(const struct options *options, int rest, char **argv, struct error **err) {
  if (rest > 0)
    return error_set(err, EINVAL, "unexpected argument \"%.80s\"", argv[0]);
  if (options->control.length == 0)
    return error_set(err, EINVAL, "--control ADDRESS:PORT is required");
  if (!service_name_valid(options->name))
    return error_set(err, EINVAL, "--name must be 1 to %d printable ASCII characters without space, quote, backslash",
                     WORKLOAD_NAME_MAX);
  return 0;
}

int options_parse(int argc, char **argv, struct options *ret_options, struct error **err) {
  static const struct option known[] = {
      {"control", required_argument, NULL, 'c'}, {"name", required_argument, NULL, 'n'},
      {"listen", required_argument, NULL, 'l'},  {"help", no_argument, NULL, 'h'},
      {"version", no_argument, NULL, 'v'},       {0},
  };
  struct options options = {.name = "workload"};
  int option;
  int r = 0;
  optind = 0;
  while (r == 0 && (option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
    if (option == 'c')
      r = endpoint_parse_text(optarg, &options.control, err) < 0 ? error_wrap(err, "--control") : 0;
    else if (option == 'l')
      r = add_listener(&options, optarg, err);
    else if (option == 'n')
      options.name = optarg;
    else if (option == 'h')
      options.help = true;
    else if (option == 'v')
      options.version = true;
    else
      r = error_set(err, EINVAL, option == ':' ? "%.80s needs a value" : "unknown option %.80s", argv[optind - 1]);
  }
  if (r == 0 && !options.help && !options.version)
    r = options_check(&options, argc - optind, argv + optind, err);
  if (r == 0)
    *ret_options = options;
  return r;
}
