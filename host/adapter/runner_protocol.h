/* Between the host and trammel-runner: `trammel-runner MODE [--partly]` finds the adapter's file at descriptor 3, and
 * at descriptor 4 a pipe (--describe) to which it writes one byte and a body, or a socket (--serve) on which it serves
 * trammel.adapter.v1.Placement until the other end is closed. With --try it confines itself as for an adapter, and
 * writes to the pipe, as JSON, which attempts to get out of that were denied. */
#ifndef TRAMMEL_HOST_ADAPTER_RUNNER_PROTOCOL_H
#define TRAMMEL_HOST_ADAPTER_RUNNER_PROTOCOL_H

#define RUNNER_FILE_FD 3
#define RUNNER_CHANNEL_FD 4

#define RUNNER_DESCRIBE "--describe"
#define RUNNER_SERVE "--serve"
#define RUNNER_TRY "--try"

/* A confinement that lacks what the kernel lacks will do; without it, that is an error. */
#define RUNNER_PARTLY "--partly"

#define RUNNER_DESCRIBED 'D' /* an encoded DescribeResponse */
#define RUNNER_REFUSED 'E'   /* text: why there is none */
#define RUNNER_TRIED 'T'     /* JSON, see host/runner/attempts.h */

#define PLACEMENT_CALL "/trammel.adapter.v1.Placement/Call"

#endif
