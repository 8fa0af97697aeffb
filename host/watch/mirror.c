#include "host/watch/mirror.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void entry_free(struct mirrored *entry) {
  free(entry->key);
  free(entry->text);
  free(entry->uid);
  free(entry->api_version);
  free(entry->invalid);
  free(entry->text_before);
  free(entry->problem);
  links_finish(&entry->links);
  links_finish(&entry->links_before);
  free(entry);
}

void mirror_finish(struct mirror *mirror) {
  for (size_t i = 0; i < mirror->entries.capacity; i++)
    if (mirror->entries.slots[i])
      entry_free((struct mirrored *)mirror->entries.slots[i]);
  table_finish(&mirror->entries);
  free(mirror->dirty);
  *mirror = (struct mirror){0};
}

bool entry_counts(const struct mirrored *entry) {
  return entry->text && !entry->invalid;
}

/* Keeps what it was, the first time after mirror_settle(). */
static int soil(struct mirror *mirror, struct mirrored *entry, int64_t since_ns) {
  if (entry->dirty)
    return 0;
  if (array_reserve((void **)&mirror->dirty, &mirror->dirty_capacity, mirror->dirty_count, sizeof(*mirror->dirty)) < 0)
    return -ENOMEM;
  mirror->dirty[mirror->dirty_count++] = entry;
  entry->dirty = true;
  entry->since_ns = since_ns;
  if (entry_counts(entry))
    entry->text_before = take(entry->text);
  entry->links_before = take(entry->links);
  return 0;
}

static int forget(struct mirror *mirror, struct mirrored *entry, int64_t since_ns) {
  int r = entry->text ? soil(mirror, entry, since_ns) : 0;

  free(take(entry->text));
  free(take(entry->invalid));
  links_finish(&entry->links);
  return r;
}

static struct mirrored *entry_of(struct mirror *mirror, struct message *message) {
  struct mirrored *entry = table_get(&mirror->entries, message->key);

  if (entry)
    return entry;
  entry = calloc(1, sizeof(*entry));
  if (!entry)
    return NULL;
  entry->key = take(message->key);
  entry->feed = message->feed;
  if (table_put(&mirror->entries, entry) < 0) {
    entry_free(entry);
    return NULL;
  }
  return entry;
}

/* A resource that cannot be read is as good as none, and who wrote it is to be told. */
static int read_resource(struct mirrored *entry, struct error **err) {
  _cleanup_error_ struct error *why = NULL;

  int r = links_read(entry->text, &entry->links, &why);
  if (r == -EINVAL) {
    entry->invalid = strdup(error_message(why));
    r = entry->invalid ? 0 : -ENOMEM;
  }
  return r < 0 ? error_set(err, ENOMEM, "out of memory for a resource") : 0;
}

static int take_object(struct mirror *mirror, struct message *message, struct error **err) {
  struct mirrored *entry = entry_of(mirror, message);

  if (!entry)
    return error_set(err, ENOMEM, "out of memory for a resource");
  entry->listing = mirror->listings[message->feed];
  free(entry->uid);
  entry->uid = take(message->uid);
  if (entry->text && strcmp(entry->text, message->text) == 0)
    return 0;
  if (soil(mirror, entry, message->came_ns) < 0)
    return error_set(err, ENOMEM, "out of memory for a resource");
  free(entry->text);
  free(take(entry->invalid));
  free(entry->api_version);
  links_finish(&entry->links);
  entry->text = take(message->text);
  entry->api_version = take(message->api_version);
  return mirror->of_smi ? read_resource(entry, err) : 0;
}

static int sweep(struct mirror *mirror, const struct message *message) {
  int r = 0;

  for (size_t i = 0; r == 0 && i < mirror->entries.capacity; i++) {
    struct mirrored *entry = (struct mirrored *)mirror->entries.slots[i];
    if (entry && entry->feed == message->feed && entry->listing != mirror->listings[message->feed])
      r = forget(mirror, entry, message->came_ns);
  }
  return r;
}

int mirror_take(struct mirror *mirror, struct message *message, struct error **err) {
  struct mirrored *entry;
  int r = 0;

  switch (message->event) {
  case FEED_OBJECT:
    return take_object(mirror, message, err);
  case FEED_GONE:
    entry = table_get(&mirror->entries, message->key);
    r = entry ? forget(mirror, entry, message->came_ns) : 0;
    break;
  case FEED_BEGINS:
    mirror->listings[message->feed]++;
    break;
  case FEED_LISTED:
    r = sweep(mirror, message);
    break;
  case FEED_ABSENT:
    break;
  }
  return r < 0 ? error_set(err, ENOMEM, "out of memory for a resource") : 0;
}

void mirror_settle(struct mirror *mirror) {
  for (size_t i = 0; i < mirror->dirty_count; i++) {
    struct mirrored *entry = mirror->dirty[i];
    entry->dirty = false;
    free(take(entry->text_before));
    links_finish(&entry->links_before);
    if (entry->text)
      continue;
    table_remove(&mirror->entries, entry);
    entry_free(entry);
  }
  mirror->dirty_count = 0;
}
