/* A TLS server to put load on, with a thread for each connection, that answers or misbehaves as told. */
#ifndef TRAMMEL_TESTS_INTEGRATION_LOAD_TLS_SERVER_H
#define TRAMMEL_TESTS_INTEGRATION_LOAD_TLS_SERVER_H

#include <stdbool.h>
#include <stdint.h>

enum tls_conduct {
  TLS_ANSWERS, /* with more bytes than a record has */
  TLS_CUTS,    /* half an answer, and the connection is closed without TLS saying so */
  TLS_BREAKS,  /* after the request, something that is no TLS */
};

#define TLS_SERVER_BODY 100000

struct tls_server_options {
  const char *certificate_file, *key_file;
  const char *client_authority; /* who has to have signed the other side's; NULL: nobody is asked */
  const char *protocol;         /* chosen by ALPN whatever is offered; NULL: ALPN is not known */
  enum tls_conduct conduct;
};

struct tls_server;

/* On a free port of 127.0.0.1. Fails the test when it can't start. */
struct tls_server *tls_server_start(const struct tls_server_options *options);
void tls_server_stop(struct tls_server *server);

/* "https://127.0.0.1:PORT/", borrowed. */
const char *tls_server_url(const struct tls_server *server);
/* Handshakes that came to their end, and how many of them took up an earlier session. */
uint64_t tls_server_handshakes(const struct tls_server *server);
uint64_t tls_server_resumed(const struct tls_server *server);

#endif
