/* Certificates for tests, made by openssl(1). */
#ifndef TRAMMEL_TESTS_SUPPORT_CERTIFICATES_H
#define TRAMMEL_TESTS_SUPPORT_CERTIFICATES_H

/* Makes `directory`/NAME.pem and NAME.key: an authority of its own. */
void certificates_make_authority(const char *directory, const char *name);

/* The same, signed by the authority `by` of the directory, for the names `names` ("IP:127.0.0.1,DNS:localhost"). */
void certificates_make(const char *directory, const char *name, const char *by, const char *names);

#endif
