/* A socket for the datagrams between the mesh and one program that serves UDP. */
#ifndef TRAMMEL_REFERENCE_MESH_DATAGRAM_H
#define TRAMMEL_REFERENCE_MESH_DATAGRAM_H

#include <netinet/in.h>
#include <stddef.h>

struct stream_loop;

/* What the program sends back; only its own datagrams come in. It must not destroy the socket. */
typedef void (*datagram_answer)(void *context, const char *data, size_t length);

struct datagram_socket;

/* NULL without memory or descriptors. */
struct datagram_socket *datagram_connect(struct stream_loop *loop, const struct sockaddr_in *program,
                                         datagram_answer answer, void *context);
void datagram_close(struct datagram_socket *socket);

/* Sends one, or loses it: as UDP does when a queue is full or nobody listens. */
void datagram_send(struct datagram_socket *socket, const char *data, size_t length);

/* Asks for room for bursts, within what the system gives anyone: a full queue loses datagrams without a word. */
void datagram_make_room(int fd);

/* One that came in, whole, into the loop's scratch. Its length; negative when there is none, or an error is told about
 * one that was sent before. `ret_from` may be NULL. */
ssize_t datagram_receive(struct stream_loop *loop, int fd, struct sockaddr_in *ret_from);

/* Taken from one socket before others get their turn. */
enum { DATAGRAMS_PER_EVENT = 64 };

#endif
