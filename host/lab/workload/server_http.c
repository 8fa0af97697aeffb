/* Tells HTTP/1.1 from h2c with prior knowledge by the first bytes of a connection (RFC 9113, 3.4). */
#include <string.h>

#include "host/lab/workload/connection.h"

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
#define PREFACE_LENGTH (sizeof(preface) - 1)

static void hand_over(struct connection *connection, const struct connection_protocol *protocol, const uint8_t *data,
                      size_t length) {
  struct strbuf *head = connection->state;
  connection->state = NULL;
  connection->protocol = protocol;
  if (head) {
    strbuf_append(head, data, length);
    if (strbuf_failed(head))
      stream_close(connection->stream);
    else
      protocol->data(connection, (const uint8_t *)head->data, head->length);
    strbuf_finish(head);
    free(head);
  } else {
    protocol->data(connection, data, length);
  }
}

static void sniff_data(struct connection *connection, const uint8_t *data, size_t length) {
  struct strbuf *head = connection->state;
  size_t have = head ? head->length : 0;
  size_t compared = length < PREFACE_LENGTH - have ? length : PREFACE_LENGTH - have;
  if (memcmp(data, preface + have, compared) != 0) {
    hand_over(connection, &connection_http1, data, length);
  } else if (have + compared == PREFACE_LENGTH) {
    hand_over(connection, &connection_http2, data, length);
  } else {
    if (!head)
      head = connection->state = calloc(1, sizeof(*head));
    if (head)
      strbuf_append(head, data, length);
    if (!head || strbuf_failed(head))
      stream_close(connection->stream);
  }
}

static void sniff_finish(struct connection *connection) {
  struct strbuf *head = connection->state;
  if (head)
    strbuf_finish(head);
  free(head);
}

const struct connection_protocol connection_http = {.data = sniff_data, .finish = sniff_finish};
