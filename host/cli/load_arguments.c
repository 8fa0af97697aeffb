#include "host/cli/load_arguments.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>

#include "host/cli/duration.h"
#include "host/cli/number.h"
#include "host/load/defaults.h"
#include "host/load/grpc_json.h"

enum {
  KEY_URL = 0x700,
  KEY_RATE,
  KEY_SCHEDULE,
  KEY_RATE_END,
  KEY_RATE_STEP,
  KEY_RATE_SWING,
  KEY_PERIOD,
  KEY_SEED,
  KEY_WARM_UP,
  KEY_TIMEOUT,
  KEY_CONNECT_TIMEOUT,
  KEY_DRAIN,
  KEY_BODY,
  KEY_BODY_FILE,
  KEY_FRESH,
  KEY_HTTP2,
  KEY_STREAMS,
  KEY_GRPC,
  KEY_GRPC_HEALTH,
  KEY_PROTOSET,
  KEY_GRPC_MESSAGES,
  KEY_CACERT,
  KEY_CERT,
  KEY_KEY,
  KEY_SERVER_NAME,
  KEY_INSECURE,
};

static const struct argp_option option_table[] = {
    {"url", KEY_URL, "URL", 0, "http[s]://HOST[:PORT][/PATH], tcp://HOST:PORT or udp://HOST:PORT: where requests go",
     1},
    {"connections", 'c', "N", 0, "how many connections (default: 10)", 1},
    {"threads", 't', "N", 0, "how many threads they are spread over (default: 1)", 1},
    {"duration", 'd', "TIME", 0, "how long to measure (default: 10s)", 1},
    {"rate", KEY_RATE, "N|max", 0,
     "requests per second, due whether or not answers come (an open loop); max: the next request follows an answer (a "
     "closed loop)",
     1},
    {"schedule", KEY_SCHEDULE, "KIND", 0,
     "constant (the default), ramp, steps, sine or poisson: how due times are spread", 1},
    {"rate-end", KEY_RATE_END, "N", 0, "ramp: the rate at the end", 1},
    {"rate-step", KEY_RATE_STEP, "N", 0, "steps: how much more, or less, after each period", 1},
    {"rate-swing", KEY_RATE_SWING, "N", 0, "sine: how much more and less, once in a period", 1},
    {"period", KEY_PERIOD, "TIME", 0, "of steps and sine", 1},
    {"seed", KEY_SEED, "N", 0, "poisson: of its gaps (default: 1)", 1},
    {"warm-up", KEY_WARM_UP, "TIME", 0, "load before anything is measured (default: none)", 1},
    {"method", 'X', "METHOD", 0, "default: GET, and POST with a body", 2},
    {"header", 'H', "NAME: VALUE", 0, "may be given several times", 2},
    {"body", KEY_BODY, "TEXT", 0, "what each request sends; tcp:// and udp:// want it back", 2},
    {"body-file", KEY_BODY_FILE, "FILE", 0, "the same, from a file", 2},
    {"fresh", KEY_FRESH, NULL, 0, "a connection of its own for each request", 2},
    {"http2", KEY_HTTP2, NULL, 0, "speak HTTP/2: by prior knowledge, or agreed on with TLS", 2},
    {"streams", KEY_STREAMS, "N", 0,
     "HTTP/2, gRPC, UDP: requests on their way at a time on each connection (default: 1)", 2},
    {"grpc", KEY_GRPC, "SERVICE/METHOD", 0, "call this method of gRPC, whose message is the body", 2},
    {"protoset", KEY_PROTOSET, "FILE", 0,
     "gRPC: a descriptor set, by which the body is JSON (protoc --include_imports --descriptor_set_out)", 2},
    {"grpc-messages", KEY_GRPC_MESSAGES, "N", 0, "gRPC: how many times a call sends the message (default: 1)", 2},
    {"grpc-health", KEY_GRPC_HEALTH, "SERVICE", OPTION_ARG_OPTIONAL,
     "ask by gRPC for the health of this service (default: of the whole server)", 2},
    {"timeout", KEY_TIMEOUT, "TIME", 0, "of a request (default: 10s)", 3},
    {"connect-timeout", KEY_CONNECT_TIMEOUT, "TIME", 0, "of a connection (default: 5s)", 3},
    {"drain", KEY_DRAIN, "TIME", 0, "how long the end waits for answers (default: 10s)", 3},
    {"cacert", KEY_CACERT, "FILE", 0,
     "PEM: who may have signed the target's certificate (default: whom the system trusts)", 4},
    {"cert", KEY_CERT, "FILE", 0, "PEM: a certificate to show, with its chain", 4},
    {"key", KEY_KEY, "FILE", 0, "PEM: its key", 4},
    {"server-name", KEY_SERVER_NAME, "NAME", 0, "whom the target's certificate has to be for (default: the URL's host)",
     4},
    {"insecure", KEY_INSECURE, NULL, 0, "take whatever certificate the target shows", 4},
    {0},
};

static double parse_rate(const struct argp_state *state, const char *name, const char *text) {
  char *end = NULL;
  double rate = strtod(text, &end);
  if (end == text || *end || !(fabs(rate) <= SCHEDULE_RATE_MAX))
    argp_error(state, "%s wants a number of requests per second, at most %.0f, not '%s'", name, SCHEDULE_RATE_MAX,
               text);
  return rate;
}

static int parse_schedule(const struct argp_state *state, const char *text) {
  int kind = schedule_kind_parse(text);
  if (kind < 0 || kind == SCHEDULE_CLOSED)
    argp_error(state, "--schedule wants constant, ramp, steps, sine or poisson, not '%s'", text);
  return kind;
}

static void add_header(const struct argp_state *state, const char *text, struct load_arguments *arguments) {
  if (arguments->target.header_count == TARGET_HEADERS_MAX)
    argp_error(state, "at most %d headers", TARGET_HEADERS_MAX);
  arguments->headers[arguments->target.header_count++] = text;
}

static void check_schedule(const struct argp_state *state, struct load_arguments *arguments) {
  struct schedule *schedule = &arguments->load.schedule;
  _cleanup_error_ struct error *err = NULL;
  bool closed = arguments->rate && strcmp(arguments->rate, "max") == 0;
  if (!arguments->rate)
    argp_error(state, "--rate says how many requests per second, or max");
  if (closed && arguments->schedule >= 0)
    argp_error(state, "--schedule is for a --rate that is a number");
  schedule->kind = closed                     ? SCHEDULE_CLOSED
                   : arguments->schedule >= 0 ? (enum schedule_kind)arguments->schedule
                                              : SCHEDULE_CONSTANT;
  if (arguments->rate && !closed)
    schedule->rate = parse_rate(state, "--rate", arguments->rate);
  if (schedule_check(schedule, &err) < 0)
    argp_error(state, "%s", error_message(err));
}

void load_arguments_check(const struct argp_state *state, struct load_arguments *arguments) {
  if (!arguments->target.url)
    argp_error(state, "--url says where requests go");
  check_schedule(state, arguments);
  if (arguments->target.body && arguments->body_file)
    argp_error(state, "--body and --body-file are two bodies: give one");
  if (arguments->protoset_file && !arguments->target.grpc)
    argp_error(state, "--protoset describes the message of --grpc SERVICE/METHOD");
  if (arguments->load.connections < arguments->load.threads)
    argp_error(state, "%u connections cannot be spread over %u threads", arguments->load.connections,
               arguments->load.threads);
}

static error_t parse_option(int key, char *argument, struct argp_state *state) {
  struct load_arguments *arguments = state->input;
  struct load_options *load = &arguments->load;
  switch (key) {
  case KEY_URL:
    arguments->target.url = argument;
    return 0;
  case 'c':
    load->connections = (unsigned)number_parse(state, "--connections", argument, 1, LOAD_CONNECTIONS_MAX);
    return 0;
  case 't':
    load->threads = (unsigned)number_parse(state, "--threads", argument, 1, LOAD_THREADS_MAX);
    return 0;
  case 'd':
    load->schedule.duration_ns = duration_parse(state, "--duration", argument, false);
    return 0;
  case KEY_RATE:
    arguments->rate = argument;
    return 0;
  case KEY_SCHEDULE:
    arguments->schedule = parse_schedule(state, argument);
    return 0;
  case KEY_RATE_END:
    load->schedule.rate_end = parse_rate(state, "--rate-end", argument);
    return 0;
  case KEY_RATE_STEP:
    load->schedule.rate_step = parse_rate(state, "--rate-step", argument);
    return 0;
  case KEY_RATE_SWING:
    load->schedule.rate_swing = parse_rate(state, "--rate-swing", argument);
    return 0;
  case KEY_PERIOD:
    load->schedule.period_ns = duration_parse(state, "--period", argument, false);
    return 0;
  case KEY_SEED:
    load->schedule.seed = number_parse(state, "--seed", argument, 0, UINT64_MAX);
    return 0;
  case KEY_WARM_UP:
    load->warm_up_ns = duration_parse(state, "--warm-up", argument, true);
    return 0;
  case KEY_TIMEOUT:
    load->timeout_ns = duration_parse(state, "--timeout", argument, false);
    return 0;
  case KEY_CONNECT_TIMEOUT:
    load->connect_timeout_ns = duration_parse(state, "--connect-timeout", argument, false);
    return 0;
  case KEY_DRAIN:
    load->drain_ns = duration_parse(state, "--drain", argument, true);
    return 0;
  case 'X':
    arguments->target.method = argument;
    return 0;
  case 'H':
    add_header(state, argument, arguments);
    return 0;
  case KEY_BODY:
    arguments->target.body = argument;
    arguments->target.body_length = strlen(argument);
    return 0;
  case KEY_BODY_FILE:
    arguments->body_file = argument;
    return 0;
  case KEY_FRESH:
    arguments->target.fresh = true;
    return 0;
  case KEY_HTTP2:
    arguments->target.http2 = true;
    return 0;
  case KEY_STREAMS:
    arguments->target.streams = (unsigned)number_parse(state, "--streams", argument, 1, TARGET_STREAMS_MAX);
    return 0;
  case KEY_GRPC:
    arguments->target.grpc = argument;
    return 0;
  case KEY_PROTOSET:
    arguments->protoset_file = argument;
    return 0;
  case KEY_GRPC_MESSAGES:
    arguments->target.grpc_messages =
        (unsigned)number_parse(state, "--grpc-messages", argument, 1, TARGET_MESSAGES_MAX);
    return 0;
  case KEY_GRPC_HEALTH:
    arguments->target.grpc_health = argument ? argument : "";
    return 0;
  case KEY_CACERT:
    arguments->target.tls.trust_file = argument;
    return 0;
  case KEY_CERT:
    arguments->target.tls.certificate_file = argument;
    return 0;
  case KEY_KEY:
    arguments->target.tls.key_file = argument;
    return 0;
  case KEY_SERVER_NAME:
    arguments->target.tls.server_name = argument;
    return 0;
  case KEY_INSECURE:
    arguments->target.tls.insecure = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* The name of an option by its key. */
static const char *option_name(int key) {
  for (size_t i = 0; option_table[i].name; i++)
    if (option_table[i].key == key)
      return option_table[i].name;
  return NULL;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct load_arguments *arguments = state->input;
  error_t r = parse_option(key, argument, state);
  if (r == 0 && !arguments->first)
    arguments->first = option_name(key);
  return r;
}

const struct argp load_arguments_argp = {.options = option_table, .parser = parse};

static int read_file(const char *name, unsigned limit, struct strbuf *text, struct error **err) {
  _cleanup_close_ int fd = open(name, O_RDONLY | O_CLOEXEC);
  int r = fd < 0 ? -errno : strbuf_read_file(text, fd, limit);
  if (r == -EFBIG)
    return error_set(err, EFBIG, "%s: at most %u bytes are read", name, limit);
  return r < 0 ? error_set(err, -r, "%s: %s", name, strerror(-r)) : 0;
}

static int read_body(struct load_arguments *arguments, struct error **err) {
  struct strbuf *body = &arguments->body;
  int r = read_file(arguments->body_file, TARGET_BODY_MAX, body, err);
  if (r < 0)
    return r;
  arguments->target.body = strbuf_text(body);
  arguments->target.body_length = body->length;
  return 0;
}

void load_arguments_init(struct load_arguments *arguments) {
  *arguments = (struct load_arguments){.schedule = -1, .load = load_options_default()};
}

void load_arguments_finish(struct load_arguments *arguments) {
  strbuf_finish(&arguments->body);
}

/* The body is JSON then, which is encoded. */
static int encode_body(struct load_arguments *arguments, struct error **err) {
  _cleanup_strbuf_ struct strbuf set = STRBUF_INIT, message = STRBUF_INIT;
  const char *json = arguments->target.body ? arguments->target.body : "{}";
  int r = read_file(arguments->protoset_file, PROTOSET_MAX, &set, err);
  if (r < 0)
    return r;
  r = grpc_json_encode((struct protoset_part){(const uint8_t *)strbuf_text(&set), set.length}, arguments->target.grpc,
                       json, &message, err);
  if (r < 0)
    return r == -ENOMEM ? r : -EINVAL;
  strbuf_finish(&arguments->body);
  arguments->body = take(message);
  arguments->target.body = strbuf_text(&arguments->body);
  arguments->target.body_length = arguments->body.length;
  return 0;
}

int load_arguments_target(struct load_arguments *arguments, struct target **ret_target, struct error **err) {
  struct target_options *target = &arguments->target;
  target->headers = arguments->headers;
  int r = arguments->body_file ? read_body(arguments, err) : 0;
  if (r == 0 && arguments->protoset_file)
    r = encode_body(arguments, err);
  return r < 0 ? r : target_create(target, ret_target, err);
}
