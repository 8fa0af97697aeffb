#include "host/rest/answer.h"

#include <errno.h>
#include <string.h>

static struct answer answer_of(unsigned status, const char *type, json_t *value) {
  char *data = value ? json_dumps(value, JSON_COMPACT) : NULL;
  json_decref(value);
  return (struct answer){.status = status, .type = type, .data = data, .length = data ? strlen(data) : 0};
}

struct answer answer_json(unsigned status, json_t *value) {
  return answer_of(status, "application/json", value);
}

struct answer answer_data(const char *type, char *data, size_t length) {
  return (struct answer){.status = 200, .type = type, .data = data, .length = length};
}

static const char *title_of(unsigned status) {
  static const struct {
    unsigned status;
    const char *title;
  } titles[] = {{400, "Bad Request"},         {401, "Unauthorized"},       {403, "Forbidden"},
                {404, "Not Found"},           {405, "Method Not Allowed"}, {409, "Conflict"},
                {413, "Content Too Large"},   {429, "Too Many Requests"},  {503, "Service Unavailable"},
                {507, "Insufficient Storage"}};
  for (size_t i = 0; i < sizeof(titles) / sizeof(*titles); i++)
    if (titles[i].status == status)
      return titles[i].title;
  return "Internal Server Error";
}

struct answer answer_problem(unsigned status, const char *detail) {
  return answer_of(status, "application/problem+json",
                   json_pack("{s:s, s:i, s:s}", "title", title_of(status), "status", (int)status, "detail", detail));
}

struct answer answer_error(int r, const struct error *err) {
  static const struct {
    int code;
    unsigned status;
  } known[] = {{EINVAL, 400},       {ENOENT, 404},     {EREMOTE, 409},     {EAGAIN, 429},
               {E2BIG, 429},        {ESHUTDOWN, 503},  {EBUSY, 503},       {EROFS, 503},
               {ECONNREFUSED, 503}, {ECONNRESET, 503}, {EINPROGRESS, 503}, {ENOSPC, 507}};
  unsigned status = 500;
  for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
    if (r == -known[i].code)
      status = known[i].status;
  return answer_problem(status, err ? error_message(err) : strerror(-r));
}
