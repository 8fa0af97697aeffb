#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "host/load/bootstrap.h"
#include "host/load/defaults.h"
#include "host/perf/smp.h"
#include "sdk/base/clock.h"

#define SMP_VERSION "v0.0.1" /* of files that come from no other one */

/* ---- what the format has no place for */

static const char *value_of(const char *header, const char *name) {
  size_t length = strlen(name);
  return strncasecmp(header, name, length) == 0 && header[length] == ':'
             ? header + length + 1 + strspn(header + length + 1, " ")
             : NULL;
}

static void lacks(struct strbuf *out, bool found, const char *what) {
  if (found)
    strbuf_printf(out, "%s%s", out->length > 0 ? ", " : "", what);
}

static bool other_times(const struct load_options *load) {
  const struct load_options usual = load_options_default();
  return load->timeout_ns != usual.timeout_ns || load->connect_timeout_ns != usual.connect_timeout_ns ||
         load->drain_ns != usual.drain_ns;
}

static bool is_usual_method(const struct target_options *target) {
  return !target->method || strcmp(target->method, target->body ? "POST" : "GET") == 0;
}

/* Which of the format's protocols it is. */
static const char *protocol_of(const struct target_options *target) {
  if (target->grpc_health)
    return "GRPC";
  if (strncasecmp(target->url, "tcp:", strlen("tcp:")) == 0)
    return "TCP";
  return strncasecmp(target->url, "udp:", strlen("udp:")) == 0 ? "UDP" : "HTTP";
}

/* Each cookie has a name and a value; what else is in such a header is none. */
static bool has_odd_cookies(const struct target_options *target) {
  for (size_t i = 0; i < target->header_count; i++) {
    const char *at = value_of(target->headers[i], "Cookie");
    while (at && *at) {
      size_t length = strcspn(at, ";");
      if (strcspn(at, "=") >= length || strcspn(at, "=") == 0)
        return true;
      at += length;
      at += strspn(at, "; ");
    }
  }
  return false;
}

static bool has_header_twice(const struct target_options *target) {
  for (size_t i = 0; i < target->header_count; i++) {
    size_t length = strcspn(target->headers[i], ":");
    for (size_t j = 0; j < i; j++)
      if (strncasecmp(target->headers[i], target->headers[j], length + 1) == 0)
        return true;
  }
  return false;
}

/* What is not named in a file has its number as its name; a client's URL has a name of the client's. */
static bool has_name(const struct profile *profile, size_t i) {
  char number[24];
  (void)snprintf(number, sizeof(number), "%zu", i + 1);
  return !profile->smp && strcmp(profile->loads[i].name, number) != 0;
}

static void list_of_load(const struct profile_load *load, struct strbuf *out) {
  const struct target_options *target = &load->target;
  const struct tls_options *tls = &target->tls;
  lacks(out, target->http2, "HTTP/2");
  lacks(out, target->grpc || (target->grpc_health && *target->grpc_health), "a method of gRPC, or a service's health");
  lacks(out, target->streams > 1, "streams");
  lacks(out, target->fresh, "fresh connections");
  lacks(out, load->body_file != NULL, "a body's file");
  lacks(out, !load->body_file && !is_usual_method(target), "a method");
  lacks(out, target->body && !*target->body && !load->body_file, "an empty body");
  lacks(out, has_header_twice(target), "a header twice");
  lacks(out, has_odd_cookies(target), "a Cookie header that is not of names and values");
  lacks(out, load->status_count > 0, "validation");
  lacks(out, tls->certificate_file || tls->key_file || tls->server_name || tls->insecure,
        "TLS other than whom to trust");
}

static int check(const struct profile *profile, struct error **err) {
  const struct load_options *whole = &profile->whole;
  enum schedule_kind kind = whole->schedule.kind;
  _cleanup_strbuf_ struct strbuf list = STRBUF_INIT;
  lacks(&list, kind != SCHEDULE_CLOSED && kind != SCHEDULE_CONSTANT, "a schedule that is neither constant nor closed");
  lacks(&list, whole->warm_up_ns > 0, "a warm-up");
  lacks(&list, other_times(whole), "timeouts");
  lacks(&list, profile->repetitions > 1, "repetitions");
  lacks(&list, profile->objective_count > 0, "objectives");
  lacks(&list, profile->description != NULL, "a description");
  lacks(&list, whole->threads != profile->load_count, "threads");
  for (size_t i = 0; i < profile->load_count && list.length == 0; i++) {
    lacks(&list, has_name(profile, i), "names of targets");
    list_of_load(&profile->loads[i], &list);
  }
  if (strbuf_failed(&list))
    return error_set(err, ENOMEM, "no memory for a performance test");
  return list.length == 0 ? 0
                          : error_set(err, ENOTSUP,
                                      "the profile has what a performance test of Service Mesh Performance has no "
                                      "place for: %s",
                                      strbuf_text(&list));
}

/* ---- a test */

static json_t *labels_json(const struct smp_labels *labels) {
  json_t *json = json_object();
  for (size_t i = 0; i < labels->count; i++)
    (void)json_object_set_new(json, labels->list[i].key, json_string(labels->list[i].value));
  return json;
}

static json_t *headers_json(const struct target_options *target) {
  json_t *json = json_object();
  for (size_t i = 0; i < target->header_count; i++) {
    const char *header = target->headers[i], *colon = strchr(header, ':');
    if (!value_of(header, "Cookie") && !value_of(header, "Content-Type"))
      (void)json_object_setn_new(json, header, (size_t)(colon - header),
                                 json_string(colon + 1 + strspn(colon + 1, " ")));
  }
  return json;
}

static json_t *cookies_json(const struct target_options *target) {
  json_t *json = json_object();
  for (size_t i = 0; i < target->header_count; i++) {
    const char *at = value_of(target->headers[i], "Cookie");
    while (at && *at) {
      size_t length = strcspn(at, ";"), name = strcspn(at, "=");
      if (name < length)
        (void)json_object_setn_new(json, at, name, json_stringn(at + name + 1, length - name - 1));
      at += length;
      at += strspn(at, "; ");
    }
  }
  return json;
}

static const char *content_type(const struct target_options *target) {
  for (size_t i = 0; i < target->header_count; i++)
    if (value_of(target->headers[i], "Content-Type"))
      return value_of(target->headers[i], "Content-Type");
  return NULL;
}

/* The loads from `first` on that are of its client. */
static size_t loads_of(const struct profile *profile, size_t first) {
  size_t end = first;
  while (end < profile->load_count && profile->loads[end].client == profile->loads[first].client)
    end++;
  return end - first;
}

static int client_json(const struct profile *profile, size_t first, json_t *clients, struct error **err) {
  const struct target_options *target = &profile->loads[first].target;
  const char *generator = profile->loads[first].generator;
  size_t count = loads_of(profile, first);
  json_t *urls = json_array();
  unsigned connections = 0;
  double rate = 0;
  for (size_t i = first; i < first + count; i++) {
    (void)json_array_append_new(urls, json_string(profile->loads[i].target.url));
    connections += profile->loads[i].options.connections;
    rate += profile->loads[i].options.schedule.rate;
  }
  if (fabs(rate - nearbyint(rate)) > 1e-6) {
    json_decref(urls);
    return error_set(err, ENOTSUP,
                     "target '%s' gets %g requests per second by its weight, and a client of a performance test has a "
                     "whole number",
                     profile->loads[first].name, rate);
  }
  json_t *client = json_pack(
      "{s:b, s:s, s:s, s:I, s:I, s:o, s:o, s:s*, s:s*, s:o, s:s*}", "internal", 0, "load_generator",
      generator ? generator : "trammel", "protocol", protocol_of(target), "connections", (json_int_t)connections, "rps",
      (json_int_t)llround(rate), "headers", headers_json(target), "cookies", cookies_json(target), "body", target->body,
      "content_type", content_type(target), "endpoint_urls", urls, "ssl_certificate", target->tls.trust_file);
  return json_array_append_new(clients, client) < 0 ? error_set(err, ENOMEM, "no memory for a performance test") : 0;
}

/* "1m30s"; what is no whole number of milliseconds in nanoseconds. */
static json_t *duration_json(int64_t ns) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  static const struct {
    const char *unit;
    int64_t ns;
  } units[] = {
      {"h", 3600 * NS_PER_SECOND}, {"m", 60 * NS_PER_SECOND}, {"s", NS_PER_SECOND}, {"ms", NS_PER_MS}, {"ns", 1}};
  for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
    if (ns >= units[i].ns)
      strbuf_printf(&text, "%lld%s", (long long)(ns / units[i].ns), units[i].unit);
    ns %= units[i].ns;
  }
  return json_string(strbuf_text(&text));
}

static json_t *mesh_json(const struct smp_facts *facts) {
  if (!facts || !facts->has_mesh)
    return NULL;
  return json_pack("{s:s*, s:s*, s:o*, s:o*}", "type", smp_mesh_name(facts->mesh_type), "version", facts->mesh_version,
                   "labels", facts->mesh_labels.count > 0 ? labels_json(&facts->mesh_labels) : NULL, "annotations",
                   facts->mesh_annotations.count > 0 ? labels_json(&facts->mesh_annotations) : NULL);
}

int smp_test_json(const struct profile *profile, json_t **ret_test, struct error **err) {
  const struct smp_facts *facts = profile->smp;
  json_auto_t *clients = json_array();
  int r = check(profile, err);
  for (size_t i = 0; r == 0 && i < profile->load_count; i += loads_of(profile, i))
    r = client_json(profile, i, clients, err);
  if (r < 0)
    return r;
  json_t *test =
      json_pack("{s:{s:s, s:s*, s:s, s:o, s:O, s:o}, s:o*}", "test", "smp_version",
                facts && facts->version ? facts->version : SMP_VERSION, "id", facts ? facts->id : NULL, "name",
                profile->name, "labels", facts ? labels_json(&facts->labels) : json_object(), "clients", clients,
                "duration", duration_json(profile->whole.schedule.duration_ns), "mesh", mesh_json(facts));
  if (!test)
    return error_set(err, ENOMEM, "no memory for a performance test");
  *ret_test = test;
  return 0;
}

/* ---- a result */

/* RFC 4122, version 4: random. */
static json_t *new_id(void) {
  unsigned char b[16];
  if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
    return NULL;
  b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
  b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
  return json_sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3],
                      b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* As protobuf's JSON has a Timestamp: RFC 3339 in UTC. */
static json_t *time_json(int64_t ns) {
  time_t second = (time_t)(ns / NS_PER_SECOND);
  struct tm utc;
  char text[32];
  if (!gmtime_r(&second, &utc) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
    return NULL;
  return json_sprintf("%s.%09dZ", text, (int)(ns % NS_PER_SECOND));
}

static json_t *latency_json(const struct histogram *histogram) {
  static const struct {
    const char *name;
    double quantile;
  } quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}};
  json_t *json = json_object();
  if (histogram_count(histogram) == 0)
    return json;
  (void)json_object_set_new(json, "min", json_real((double)histogram_min(histogram) / (double)NS_PER_MS));
  (void)json_object_set_new(json, "average", json_real(histogram_mean(histogram) / (double)NS_PER_MS));
  for (size_t i = 0; i < ARRAY_COUNT(quantiles); i++)
    if (quantile_tells(histogram_count(histogram), quantiles[i].quantile))
      (void)json_object_set_new(
          json, quantiles[i].name,
          json_real((double)histogram_quantile(histogram, quantiles[i].quantile) / (double)NS_PER_MS));
  (void)json_object_set_new(json, "max", json_real((double)histogram_max(histogram) / (double)NS_PER_MS));
  return json;
}

json_t *smp_result_json(const struct load_report *report, const struct profile *profile) {
  const struct load_result *result = report->result;
  const struct smp_facts *facts = profile ? profile->smp : NULL;
  bool closed = report->options->schedule.kind == SCHEDULE_CLOSED;
  return json_pack("{s:s, s:o*, s:o, s:o*, s:o*, s:o, s:f, s:s*}", "smp_version",
                   facts && facts->version ? facts->version : SMP_VERSION, "id", new_id(), "labels",
                   facts ? labels_json(&facts->labels) : json_object(), "start_time", time_json(result->begun_ns),
                   "end_time", time_json(result->begun_ns + result->measured_ns), "latencies_ms",
                   latency_json(closed ? result->tally.service : result->tally.response), "actual_qps",
                   result->achieved_rate, "test_id", facts ? facts->id : NULL);
}
