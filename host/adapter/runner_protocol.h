/* Between the adapter scan and trammel-runner: `trammel-runner --describe 3 --result 4` loads the adapter of descriptor
 * 3 and writes one byte and a body to descriptor 4. */
#ifndef TRAMMEL_HOST_ADAPTER_RUNNER_PROTOCOL_H
#define TRAMMEL_HOST_ADAPTER_RUNNER_PROTOCOL_H

#define RUNNER_FILE_FD 3
#define RUNNER_RESULT_FD 4

#define RUNNER_DESCRIBED 'D' /* an encoded DescribeResponse */
#define RUNNER_REFUSED 'E'   /* text: why there is none */

#endif
