/* gRPC as a library: there while a channel or a server is. */
#ifndef TRAMMEL_HOST_RPC_CORE_LIBRARY_H
#define TRAMMEL_HOST_RPC_CORE_LIBRARY_H

#include <grpc/grpc.h>

void library_open(void);
void library_close(void);

/* What channels and servers of ours are made with; `room` must outlive the result. */
#define LIBRARY_ARGUMENTS 5
grpc_channel_args library_arguments(grpc_arg room[LIBRARY_ARGUMENTS], size_t receive_max);

#endif
