/* TRAMMEL_SANITIZED is 1 when this is a build with AddressSanitizer or ThreadSanitizer, whose own mappings,
 * threads and reports don't fit into what an adapter may do; else 0. */
#ifndef TRAMMEL_HOST_RUNNER_SANITIZED_H
#define TRAMMEL_HOST_RUNNER_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TRAMMEL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TRAMMEL_SANITIZED 1
#endif
#endif
#ifndef TRAMMEL_SANITIZED
#define TRAMMEL_SANITIZED 0
#endif

#endif
