/* Statuses of calls, which are gRPC's, and errors. */
#ifndef TRAMMEL_HOST_ADAPTER_STATUS_H
#define TRAMMEL_HOST_ADAPTER_STATUS_H

/* "INVALID_ARGUMENT"; NULL for none of gRPC's. */
const char *status_name(int status);

/* The positive errno that a failed call gives, EIO for what has none of its own. */
int status_errno(int status);

/* The status for a negative errno, so that the other side's status_errno() gives it again; UNKNOWN for what has none.
 */
int status_of_errno(int error);

#endif
