/* Bytes as they are, to and from a TCP port. */
#ifndef TRAMMEL_TESTS_WORKLOAD_RAW_H
#define TRAMMEL_TESTS_WORKLOAD_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A connected socket that gives up after 20 s; asserts. `control` is ADDRESS:PORT. */
int raw_connect(const char *address, uint16_t port);
int raw_connect_text(const char *control);

/* Sends all; false when the peer closed. */
bool raw_send(int fd, const void *data, size_t length);
/* Reads until the peer closes (or resets); a heap string. */
char *raw_read_all(int fd);
/* Reads until `text` came; asserts that it does. */
void raw_expect(int fd, const char *text);

/* One HTTP request with `connection: close`, and the whole answer with its head; a heap string. `body` may be NULL. */
char *raw_request(const char *control, const char *method, const char *path, const char *body);

#endif
