#include "host/perf/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"

void profile_destroy(struct profile *profile) {
  if (profile)
    arena_destroy(profile->arena); /* it is in there, too */
}

int profile_read(const char *path, struct diagnostics *diagnostics, struct profile **ret_profile, struct error **err) {
  _cleanup_free_ char *text = NULL;
  size_t length = 0;
  int r = file_read(path, PROFILE_BYTES_MAX, &text, &length, err);
  if (r == -E2BIG)
    return error_set(err, E2BIG, "%s: a profile has at most %zu bytes", path, PROFILE_BYTES_MAX);
  if (r < 0)
    return r;
  r = profile_parse(path, text, length, diagnostics, ret_profile);
  if (r == -ENOMEM)
    return error_set(err, ENOMEM, "%s: no memory", path);
  return r < 0 ? error_set(err, -r, "%s is no profile that can be run", strcmp(path, "-") == 0 ? "<stdin>" : path) : 0;
}

/* ---- targets */

/* `*path` from `directory`, when it is relative; the text is in the arena. */
static int place(const char **path, const char *directory, struct arena *arena, struct error **err) {
  if (!*path || **path == '/' || !directory)
    return 0;
  *path = arena_printf(arena, "%s/%s", directory, *path);
  return *path ? 0 : error_set(err, ENOMEM, "no memory for a path");
}

static int read_body(const char *path, struct strbuf *body, struct target_options *target, struct error **err) {
  _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
  int r = fd < 0 ? -errno : strbuf_read_file(body, fd, TARGET_BODY_MAX);
  if (r == -EFBIG)
    return error_set(err, EFBIG, "%s: a body has at most %u bytes", path, TARGET_BODY_MAX);
  if (r < 0)
    return error_set(err, -r, "%s: %s", path, strerror(-r));
  target->body = strbuf_text(body);
  target->body_length = body->length;
  return 0;
}

static int make_target(const struct profile_load *load, const char *directory, struct arena *arena,
                       struct target **ret_target, struct error **err) {
  _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
  struct target_options target = load->target;
  const char *body_file = load->body_file;
  const char **paths[] = {&body_file, &target.tls.trust_file, &target.tls.certificate_file, &target.tls.key_file};
  int r = 0;
  for (size_t i = 0; r == 0 && i < ARRAY_COUNT(paths); i++)
    r = place(paths[i], directory, arena, err);
  if (r == 0 && body_file)
    r = read_body(body_file, &body, &target, err);
  return r < 0 ? r : target_create(&target, ret_target, err);
}

int profile_targets(const struct profile *profile, const char *directory, struct target **ret_targets,
                    struct error **err) {
  _cleanup_arena_ struct arena *paths = arena_create(0);
  size_t made = 0;
  int r = paths ? 0 : error_set(err, ENOMEM, "no memory for targets");
  while (r == 0 && made < profile->load_count) {
    const struct profile_load *load = &profile->loads[made];
    r = make_target(load, directory, paths, &ret_targets[made], err);
    if (r < 0)
      (void)error_wrap(err, "target '%s' in line %u", load->name, load->line);
    made += r == 0;
  }
  while (r < 0 && made > 0)
    target_destroy(ret_targets[--made]);
  return r;
}

static bool is_relative(const char *path) {
  return path && *path != '/';
}

bool profile_is_relative(const struct profile *profile) {
  for (size_t i = 0; i < profile->load_count; i++) {
    const struct profile_load *load = &profile->loads[i];
    const struct tls_options *tls = &load->target.tls;
    if (is_relative(load->body_file) || is_relative(tls->trust_file) || is_relative(tls->certificate_file) ||
        is_relative(tls->key_file))
      return true;
  }
  return false;
}

/* ---- what came of it */

static bool is_expected(const struct profile_load *load, unsigned status) {
  for (size_t i = 0; i < load->status_count; i++)
    if (load->statuses[i] == status)
      return true;
  return load->status_count == 0 && status < 500;
}

uint64_t profile_load_unexpected(const struct profile_load *load, const struct load_result *result) {
  uint64_t count = 0;
  for (unsigned status = 0; status < TALLY_STATUS_MAX; status++)
    if (result->tally.statuses[status] > 0 && !is_expected(load, status))
      count += result->tally.statuses[status];
  return count;
}

int profile_set_rate(struct profile *profile, double rate, struct error **err) {
  double factor = rate / profile->whole.schedule.rate;
  int r = 0;
  for (size_t i = 0; r == 0 && i < profile->load_count; i++) {
    struct schedule *schedule = &profile->loads[i].options.schedule;
    schedule->rate *= factor;
    r = schedule_check(schedule, err);
    if (r < 0)
      (void)error_wrap(err, "target '%s'", profile->loads[i].name);
  }
  profile->whole.schedule.rate = rate;
  return r;
}

bool profile_is_closed(const struct profile *profile) {
  return profile->whole.schedule.kind == SCHEDULE_CLOSED;
}
