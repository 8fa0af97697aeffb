/* Tokens by which an endpoint knows the operator: read from files, sent as "Authorization: Bearer", never shown,
 * logged, journaled or handed to an adapter. Private to the engine. */
#ifndef TRAMMEL_HOST_ENGINE_TOKEN_H
#define TRAMMEL_HOST_ENGINE_TOKEN_H

#include "sdk/base/error.h"

/* The most bytes of a token's file. */
#define TOKEN_FILE_MAX (64u * 1024)

/* The header line with the token of a file, whose surrounding white space counts for nothing; heap, for token_free().
 * -EINVAL for one that is empty or has what no header can hold, -EFBIG, or why the file cannot be read. The reason
 * names the file and nothing that is in it. */
int token_read(const char *path, char **ret_header, struct error **err);

/* Wipes it first. NULL is fine. */
void token_free(char *header);
static inline void token_free_p(char **header) {
  token_free(*header);
}
#define _cleanup_token_ _cleanup_(token_free_p)

/* 0 when a token may be sent to the URL: by https, or to this machine. -EACCES with a reason. */
int token_check_url(const char *url, struct error **err);

#endif
