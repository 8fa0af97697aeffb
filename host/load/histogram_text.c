/* HdrHistogram's V2 format: a header, then for each interval its count as a zigzag LEB128 number, in which a negative
 * one is that many empty intervals; compressed by zlib behind a second header; all of it in base64. */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <zlib.h>

#include "host/load/histogram_layout.h"

enum {
  COOKIE_V2 = 0x1c849303,
  COOKIE_V2_COMPRESSED = 0x1c849304,
  COOKIE_WORD_SIZE = 0x10, /* of a count; readers of V2 ignore it */
  HEADER = 40,
  COMPRESSED_HEADER = 8,
  DIGITS = 3,
  PLAIN_MAX = HEADER + HISTOGRAM_COUNTS_MAX,
};

/* ---- numbers */

static void put32(unsigned char *at, uint32_t value) {
  for (int i = 0; i < 4; i++)
    at[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void put64(unsigned char *at, uint64_t value) {
  put32(at, (uint32_t)(value >> 32));
  put32(at + 4, (uint32_t)value);
}

static uint32_t get32(const unsigned char *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t get64(const unsigned char *at) {
  return (uint64_t)get32(at) << 32 | get32(at + 4);
}

/* Seven bits a byte, the lowest first; all eight of the ninth. */
static size_t put_number(unsigned char *at, int64_t value) {
  uint64_t rest = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
  size_t length = 0;
  while (length < HISTOGRAM_COUNT_BYTES - 1 && rest >= 0x80) {
    at[length++] = (unsigned char)(rest | 0x80);
    rest >>= 7;
  }
  at[length++] = (unsigned char)rest;
  return length;
}

/* How many bytes it has; 0 when it is cut. */
static size_t get_number(const unsigned char *at, size_t length, int64_t *ret_value) {
  uint64_t value = 0;
  for (size_t i = 0; i < length && i < HISTOGRAM_COUNT_BYTES; i++) {
    bool last = i == HISTOGRAM_COUNT_BYTES - 1;
    value |= (uint64_t)(last ? at[i] : at[i] & 0x7f) << (7 * i);
    if (!last && at[i] & 0x80)
      continue;
    *ret_value = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
    return i + 1;
  }
  return 0;
}

/* ---- writing */

size_t histogram_put_counts(const struct histogram *histogram, unsigned char *at) {
  unsigned length = histogram->total > 0 ? histogram_index(histogram->max) + 1 : 0, i = 0;
  size_t used = 0;
  while (i < length) {
    unsigned begin = i;
    while (histogram->counts[i] == 0)
      i++;
    if (i > begin)
      used += put_number(at + used, i - begin > 1 ? -(int64_t)(i - begin) : 0);
    else
      used += put_number(at + used, (int64_t)histogram->counts[i++]);
  }
  return used;
}

static size_t put_plain(const struct histogram *histogram, unsigned char *at) {
  static const double ratio = 1; /* of integers to values */
  uint64_t bits;
  size_t used = histogram_put_counts(histogram, at + HEADER);
  memcpy(&bits, &ratio, sizeof(bits));
  put32(at, COOKIE_V2 | COOKIE_WORD_SIZE);
  put32(at + 4, (uint32_t)used);
  put32(at + 8, 0); /* normalizing offset */
  put32(at + 12, DIGITS);
  put64(at + 16, 1);
  put64(at + 24, (uint64_t)HISTOGRAM_HIGHEST_NS);
  put64(at + 32, bits);
  return HEADER + used;
}

static int append_base64(struct strbuf *out, const unsigned char *data, size_t length) {
  _cleanup_free_ unsigned char *text = malloc(length / 3 * 4 + 8);
  if (!text)
    return -ENOMEM;
  int written = EVP_EncodeBlock(text, data, (int)length);
  strbuf_append(out, text, (size_t)written);
  return strbuf_failed(out) ? -ENOMEM : 0;
}

int histogram_encode(const struct histogram *histogram, struct strbuf *out) {
  _cleanup_free_ unsigned char *plain = malloc(PLAIN_MAX);
  size_t length = plain ? put_plain(histogram, plain) : 0;
  uLongf packed_length = compressBound(length);
  _cleanup_free_ unsigned char *packed = malloc(COMPRESSED_HEADER + packed_length);
  if (!plain || !packed || compress(packed + COMPRESSED_HEADER, &packed_length, plain, length) != Z_OK)
    return -ENOMEM;
  put32(packed, COOKIE_V2_COMPRESSED | COOKIE_WORD_SIZE);
  put32(packed + 4, (uint32_t)packed_length);
  return append_base64(out, packed, COMPRESSED_HEADER + packed_length);
}

/* ---- reading */

static int malformed(struct error **err, const char *what) {
  return error_set(err, EINVAL, "this is no histogram in HdrHistogram's V2 format: %s", what);
}

int histogram_take_counts(struct histogram *histogram, const unsigned char *at, size_t length, struct error **err) {
  unsigned index = 0;
  size_t used = 0;
  while (used < length) {
    int64_t value = 0;
    size_t bytes = get_number(at + used, length - used, &value);
    if (bytes == 0)
      return malformed(err, "a count is cut");
    used += bytes;
    uint64_t steps = value < 0 ? -(uint64_t)value : 1;
    if (steps > HISTOGRAM_SIZE - index)
      return malformed(err, "more intervals than its highest value has");
    if (value > 0 && histogram_count_at(histogram, index, (uint64_t)value) < 0)
      return malformed(err, "more values than can be counted");
    index += (unsigned)steps;
  }
  return 0;
}

static int take_plain(struct histogram *histogram, const unsigned char *at, size_t length, struct error **err) {
  if (length < HEADER || (get32(at) & ~0xf0U) != COOKIE_V2)
    return malformed(err, "its header is missing");
  if (get32(at + 4) != length - HEADER)
    return malformed(err, "it is cut");
  if (get32(at + 8) != 0 || get32(at + 12) != DIGITS || get64(at + 16) != 1)
    return malformed(err, "it counts in other intervals (wanted: 3 digits from 1 on, no offset)");
  return histogram_take_counts(histogram, at + HEADER, length - HEADER, err);
}

static int unpack(const unsigned char *packed, size_t length, unsigned char *plain, uLongf *plain_length,
                  struct error **err) {
  if (length < COMPRESSED_HEADER || (get32(packed) & ~0xf0U) != COOKIE_V2_COMPRESSED)
    return malformed(err, "its header is missing");
  if (get32(packed + 4) > length - COMPRESSED_HEADER)
    return malformed(err, "it is cut");
  if (uncompress(plain, plain_length, packed + COMPRESSED_HEADER, get32(packed + 4)) != Z_OK)
    return malformed(err, "what is compressed is damaged, or too much");
  return 0;
}

int histogram_decode(struct histogram *histogram, const char *text, size_t length, struct error **err) {
  uLongf plain_length = PLAIN_MAX;
  if (length > PLAIN_MAX)
    return malformed(err, "it is too long");
  _cleanup_free_ unsigned char *packed = malloc(length / 4 * 3 + 3);
  _cleanup_free_ unsigned char *plain = malloc(PLAIN_MAX);
  _cleanup_(histogram_destroy_p) struct histogram *read = histogram_create();
  if (!packed || !plain || !read)
    return error_set(err, ENOMEM, "reading a histogram: no memory");
  int packed_length = EVP_DecodeBlock(packed, (const unsigned char *)text, (int)length);
  if (packed_length < 0)
    return malformed(err, "it is not base64");
  int r = unpack(packed, (size_t)packed_length, plain, &plain_length, err);
  if (r == 0)
    r = take_plain(read, plain, plain_length, err);
  if (r == 0 && read->total > UINT64_MAX / 2 - histogram->total)
    return malformed(err, "more values than can be counted");
  if (r == 0)
    histogram_add(histogram, read);
  return r;
}
