/* The schema in both dialects: each migration is one step forward, and never changes once it has been released. */
#ifndef TRAMMEL_HOST_STORE_SCHEMA_H
#define TRAMMEL_HOST_STORE_SCHEMA_H

/* Text is ordered by its bytes. */
#define SCHEMA_RUNS(TEXT, INTEGER, STRICT)                                                                             \
  "CREATE TABLE runs (id " TEXT " NOT NULL PRIMARY KEY, kind " TEXT " NOT NULL, mesh " TEXT " NOT NULL,"               \
  " subject " TEXT " NOT NULL, who " TEXT " NOT NULL, command " TEXT " NOT NULL, summary " TEXT " NOT NULL,"           \
  " owner " TEXT " NOT NULL, state " INTEGER " NOT NULL, seed " INTEGER " NOT NULL, created_ns " INTEGER " NOT NULL,"  \
  " started_ns " INTEGER " NOT NULL, finished_ns " INTEGER " NOT NULL, event_count " INTEGER " NOT NULL)" STRICT ";"   \
  "CREATE INDEX runs_created ON runs (created_ns, id);"                                                                \
  "CREATE INDEX runs_kept ON runs (mesh, kind, created_ns, id);"                                                       \
  "CREATE TABLE events (run " TEXT " NOT NULL REFERENCES runs ON DELETE CASCADE, sequence " INTEGER " NOT NULL,"       \
  " at_ns " INTEGER " NOT NULL, text " TEXT " NOT NULL, PRIMARY KEY (run, sequence))" STRICT ";"                       \
  "CREATE TABLE results (run " TEXT " NOT NULL REFERENCES runs ON DELETE CASCADE, name " TEXT " NOT NULL,"             \
  " verdict " TEXT " NOT NULL, detail " TEXT " NOT NULL, PRIMARY KEY (run, name))" STRICT ";"

/* `data` is as zlib's compress() makes it, of `length` bytes. */
#define SCHEMA_REPORTS(TEXT, INTEGER, BYTES, STRICT)                                                                   \
  "CREATE TABLE reports (run " TEXT " NOT NULL PRIMARY KEY REFERENCES runs ON DELETE CASCADE,"                         \
  " length " INTEGER " NOT NULL, data " BYTES " NOT NULL)" STRICT ";"

/* Who may call a host. Of passwords and secrets only hashes are here; a signing key is here as it is. */
#define SCHEMA_ACCOUNTS(TEXT, INTEGER, BYTES, STRICT)                                                                  \
  "CREATE TABLE users (name " TEXT " NOT NULL PRIMARY KEY, role " TEXT " NOT NULL, password " TEXT " NOT NULL,"        \
  " created_ns " INTEGER " NOT NULL)" STRICT ";"                                                                       \
  "CREATE TABLE logins (id " TEXT " NOT NULL PRIMARY KEY, account " TEXT " NOT NULL REFERENCES users ON DELETE"        \
  " CASCADE, hash " TEXT " NOT NULL, created_ns " INTEGER " NOT NULL, expires_ns " INTEGER " NOT NULL)" STRICT ";"     \
  "CREATE INDEX logins_account ON logins (account);"                                                                   \
  "CREATE TABLE tokens (id " TEXT " NOT NULL PRIMARY KEY, hash " TEXT " NOT NULL UNIQUE, name " TEXT " NOT NULL,"      \
  " role " TEXT " NOT NULL, account " TEXT " NOT NULL, created_ns " INTEGER " NOT NULL, expires_ns " INTEGER           \
  " NOT NULL)" STRICT ";"                                                                                              \
  "CREATE TABLE signing_keys (id " TEXT " NOT NULL PRIMARY KEY, created_ns " INTEGER " NOT NULL, data " BYTES          \
  " NOT NULL)" STRICT ";"

#endif
