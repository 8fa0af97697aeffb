/* Requests that are damaged, strange or huge. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/certify/checks.h"
#include "host/certify/methods.h"
#include "host/certify/translation.h"
#include "sdk/adapter/codec.h"
#include "sdk/base/chance.h"
#include "sdk/base/clock.h"

#define LIMIT_NS (20 * NS_PER_SECOND)
/* Of each request. */
#define FLIPS 48
#define CUTS 16
#define NOISES 16
#define NOISE_BYTES 256
#define HUGE_BYTES ((size_t)32 << 20)
#define MANY 400000 /* empty messages in one */
/* Bytes of a request whose answers are compared between places; what memory a longer one takes is another question. */
#define COMPARED_MAX (256u << 10)

struct damaging {
  struct sitting *sitting;
  struct guest *guest;
  struct chance chance;
  unsigned sent, taken;
};

static bool is_message(const ProtobufCMessageDescriptor *type, const void *data, size_t length) {
  ProtobufCMessage *message = NULL;
  if (message_unpack(type, data, length, MESSAGE_MEMORY_MAX, &message, NULL) < 0)
    return false;
  protobuf_c_message_free_unpacked(message, NULL);
  return true;
}

/* How well a request is made. */
enum form {
  FORM_GOOD = 1,
  FORM_LOOSE, /* protobuf takes it, the contract does not: a text that is no UTF-8 or has a NUL, a limit passed */
  FORM_BAD,
};

static enum form form_of(const ProtobufCMessageDescriptor *type, const void *data, size_t length) {
  if (is_message(type, data, length))
    return FORM_GOOD;
  ProtobufCMessage *message = protobuf_c_message_unpack(type, NULL, length, data);
  if (message)
    protobuf_c_message_free_unpacked(message, NULL);
  return message ? FORM_LOOSE : FORM_BAD;
}

static void judge(struct damaging *damaging, const struct sample *sample, const char *what, enum form form,
                  const struct guest_answer *answer) {
  struct sitting *sitting = damaging->sitting;
  const struct method_type *type = sample->type;
  bool ignored = strcmp(type->name, "Describe") == 0; /* its request says nothing */
  if (answer->result == -ETIMEDOUT)
    sitting_fail(sitting, "%s, with %s: %s", sample->about, what, answer->why);
  else if (answer->result == 0 && form == FORM_LOOSE && !ignored)
    sitting_warn(sitting, "%s, with %s, is answered with OK: texts are UTF-8 without NUL, and messages have limits",
                 sample->about, what);
  else if (answer->result == 0 && form == FORM_BAD && !ignored)
    sitting_fail(sitting, "%s, with %s, is answered with OK: what is no message is INVALID_ARGUMENT, with a diagnostic",
                 sample->about, what);
  else if (answer->result == 0 && !type->streaming && !is_message(type->response, answer->data, answer->length))
    sitting_fail(sitting, "%s, with %s, is answered with something that cannot be read", sample->about, what);
  damaging->taken += answer->result == 0;
}

static void send(struct damaging *damaging, const struct sample *sample, const char *what, const void *data,
                 size_t length) {
  struct sitting *sitting = damaging->sitting;
  _cleanup_answer_ struct guest_answer answer = {0};
  const struct guest_call call = {.method = sample->type->name,
                                  .request = data,
                                  .length = length,
                                  .on_message = sample->type->streaming ? guest_drop_message : NULL,
                                  .options = {.deadline_ns = clock_in_ns(LIMIT_NS)}};
  if (sitting_failed(sitting))
    return;
  guest_run(damaging->guest, &call, &answer);
  damaging->sent++;
  if (length < COMPARED_MAX)
    sitting_answer(sitting, &answer.result, sizeof answer.result);
  judge(damaging, sample, what, form_of(sample->type->request, data, length), &answer);
}

static void flip_bits(struct damaging *damaging, const struct sample *sample) {
  for (unsigned i = 0; i < FLIPS && sample->length; i++) {
    _cleanup_free_ uint8_t *copy = malloc(sample->length);
    if (!copy) {
      sitting_lacks(damaging->sitting, "memory");
      return;
    }
    memcpy(copy, sample->data, sample->length);
    for (size_t n = chance_below(&damaging->chance, 4) + 1; n > 0; n--)
      copy[chance_below(&damaging->chance, sample->length)] ^= (uint8_t)(1u << chance_below(&damaging->chance, 8));
    send(damaging, sample, "bits flipped", copy, sample->length);
  }
}

static void cut_off(struct damaging *damaging, const struct sample *sample) {
  for (unsigned i = 0; i < CUTS && sample->length; i++)
    send(damaging, sample, "its end cut off", sample->data, chance_below(&damaging->chance, sample->length));
}

static void send_noise(struct damaging *damaging, const struct sample *sample) {
  for (unsigned i = 0; i < NOISES; i++) {
    uint8_t noise[NOISE_BYTES];
    size_t length = chance_below(&damaging->chance, sizeof noise) + 1;
    for (size_t k = 0; k < length; k++)
      noise[k] = (uint8_t)chance_next(&damaging->chance);
    send(damaging, sample, "noise in its place", noise, length);
  }
}

/* By hand: what no encoder makes. */
static void send_strange(struct damaging *damaging, const struct sample *sample) {
  static const struct {
    const char *what, *bytes;
    size_t length;
  } strange[] = {
      {"nothing in it", "", 0},
      {"a field without an end", "\x0a\xff\xff\xff\xff\x0f", 6},
      {"a number of eleven bytes", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12},
      {"field number 0", "\x02\x00", 2},
      {"the end of a group that has no start", "\x0c", 1},
      {"a wire type that there is not", "\x0f", 1},
      {"bytes that are no UTF-8 in a text", "\x0a\x06\x0a\x04\x0a\x02\xc3\x28", 8},
      {"a NUL in a text", "\x0a\x06\x0a\x04\x0a\x02\x61\x00", 8},
      {"an unknown value of an enumeration", "\x08\xff\xff\xff\x7f\x10\xff\xff\xff\x7f", 10},
  };
  for (size_t i = 0; i < ARRAY_COUNT(strange); i++)
    send(damaging, sample, strange[i].what, strange[i].bytes, strange[i].length);
}

/* Messages within messages, deeper than the contract has them. */
static void send_deep(struct damaging *damaging, const struct sample *sample) {
  enum { DEPTH = 2000 };
  uint8_t deep[DEPTH * 4];
  size_t at = sizeof deep;
  for (size_t inner = 0; at >= 4; inner = sizeof deep - at) {
    deep[--at] = (uint8_t)(inner >> 7 & 0x7f);
    deep[--at] = (uint8_t)((inner & 0x7f) | 0x80);
    deep[--at] = 0x0a;
  }
  send(damaging, sample, "messages nested far too deep", deep + at, sizeof deep - at);
}

/* 32 MiB in one field, which the contract does not know, and which therefore may be passed over. */
static void send_huge(struct damaging *damaging, const struct sample *sample) {
  _cleanup_free_ uint8_t *huge = calloc(1, HUGE_BYTES + 8);
  if (!huge) {
    sitting_lacks(damaging->sitting, "memory");
    return;
  }
  static const uint8_t head[] = {0xfa, 0x7f, 0x80, 0x80, 0x80, 0x10}; /* field 2047, 32 MiB long */
  memcpy(huge, head, sizeof head);
  memset(huge + sizeof head, 'x', HUGE_BYTES);
  send(damaging, sample, "32 MiB in a field that is not known", huge, HUGE_BYTES + sizeof head);
  for (size_t i = 0; i < MANY; i++) {
    huge[2 * i] = 0x0a;
    huge[2 * i + 1] = 0;
  }
  send(damaging, sample, "a field that is there 400,000 times", huge, (size_t)MANY * 2);
}

static void damage(struct damaging *damaging, const struct sample *sample) {
  flip_bits(damaging, sample);
  cut_off(damaging, sample);
  send_noise(damaging, sample);
  send_strange(damaging, sample);
  send_deep(damaging, sample);
  send_huge(damaging, sample);
}

/* A method that there is not. */
static void call_unknown(struct damaging *damaging, const char *method) {
  _cleanup_answer_ struct guest_answer answer = {0};
  guest_run(damaging->guest, &(struct guest_call){.method = method, .request = "", .length = 0}, &answer);
  if (answer.result != -ENOTSUP)
    sitting_fail(damaging->sitting, "a method that there is not, \"%.20s\", must end with UNIMPLEMENTED, not with %s",
                 method, answer.result < 0 ? answer.why : "OK");
}

/* After all that, it must be as it was. */
static void compare_after(struct damaging *damaging, const struct sample *sample, const struct guest_answer *before) {
  _cleanup_answer_ struct guest_answer after = {0};
  guest_run(damaging->guest,
            &(struct guest_call){.method = sample->type->name, .request = sample->data, .length = sample->length},
            &after);
  if (after.result != before->result || after.length != before->length ||
      (after.length && memcmp(after.data, before->data, after.length) != 0))
    sitting_fail(damaging->sitting, "after requests that were damaged, %s is answered otherwise than before",
                 sample->about);
}

static void damage_all(struct damaging *damaging, const struct sample *samples, size_t count) {
  for (size_t i = 0; i < count && !sitting_failed(damaging->sitting); i++) {
    _cleanup_answer_ struct guest_answer before = {0};
    const struct guest_call call = {
        .method = samples[i].type->name, .request = samples[i].data, .length = samples[i].length};
    if (!samples[i].type->streaming)
      guest_run(damaging->guest, &call, &before);
    damage(damaging, &samples[i]);
    if (!samples[i].type->streaming && !sitting_failed(damaging->sitting))
      compare_after(damaging, &samples[i], &before);
  }
}

void check_requests(struct sitting *sitting) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct sample *samples = NULL;
  size_t count = 0;
  if (samples_make(sitting, arena, &samples, &count) < 0)
    return;
  _cleanup_guest_ struct guest *guest = guest_create(sitting, sitting->subject->config, NULL);
  struct damaging damaging = {.sitting = sitting, .guest = guest, .chance = {sitting->seed}};
  if (!guest)
    return;
  call_unknown(&damaging, "NoSuchMethod");
  call_unknown(&damaging, "translate");
  samples_thin_out(samples, &count);
  damage_all(&damaging, samples, count);
  sitting_fact(sitting, "sent", damaging.sent);
  sitting_fact(sitting, "taken", damaging.taken);
  sitting_done(sitting);
}
