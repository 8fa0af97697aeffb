/* Tokens of HTTP: names of headers, and methods (RFC 9110, 5.6.2). */
#ifndef TRAMMEL_SDK_BASE_TOKEN_H
#define TRAMMEL_SDK_BASE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the text is one: not empty, and nothing but letters, digits and !#$%&'*+-.^_`|~ */
bool token_valid(const char *text, size_t length);

#endif
