#include "plugins/reference/mesh/h2.h"

#include <errno.h>

#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/stream.h"

enum { SEND_HEAD = 2 * LIMIT_HEAD_BYTES }; /* by nghttp2's estimate, which is above what is sent */

static nghttp2_option *options_new(void) {
  nghttp2_option *option = NULL;
  if (nghttp2_option_new(&option) != 0)
    return NULL;
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_max_send_header_block_length(option, SEND_HEAD);
  return option;
}

static int submit_settings(bool server, nghttp2_session *session) {
  const nghttp2_settings_entry entries[] = {
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, LIMIT_HEAD_BYTES},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, LIMIT_H2_WINDOW},
      {server ? NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS : NGHTTP2_SETTINGS_ENABLE_PUSH, server ? LIMIT_H2_STREAMS : 0},
  };
  if (nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, entries, sizeof entries / sizeof *entries) != 0)
    return -ENOMEM;
  int window = server ? LIMIT_H2_CONNECTION_WINDOW : LIMIT_H2_WINDOW;
  return nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, window) == 0 ? 0 : -ENOMEM;
}

int h2_session_new(bool server, nghttp2_session_callbacks *callbacks, void *context, nghttp2_session **ret_session) {
  nghttp2_session *session = NULL;
  nghttp2_option *option = options_new();
  if (option && server)
    (void)nghttp2_session_server_new2(&session, callbacks, context, option);
  else if (option)
    (void)nghttp2_session_client_new2(&session, callbacks, context, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  if (!session || submit_settings(server, session) < 0) {
    nghttp2_session_del(session);
    return -ENOMEM;
  }
  *ret_session = session;
  return 0;
}

bool h2_send(nghttp2_session *session, struct stream *stream) {
  const uint8_t *data;
  ssize_t n = 0;
  while (!stream_full(stream) && (n = nghttp2_session_mem_send(session, &data)) > 0)
    stream_write(stream, data, (size_t)n);
  stream_flush(stream);
  return n >= 0;
}

int h2_refuse_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                    const uint8_t *value, size_t value_length, uint8_t flags, void *context) {
  (void)name;
  (void)name_length;
  (void)value;
  (void)value_length;
  (void)flags;
  (void)context;
  int r = nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_PROTOCOL_ERROR);
  return r == 0 ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : NGHTTP2_ERR_CALLBACK_FAILURE;
}
