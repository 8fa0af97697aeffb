#include "tests/support/postgres_server.h"

#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "tests/support/command.h"

#define NOBODY 65534 /* the server refuses to be root */
#define READY_S 60

struct postgres_server {
  char *directory;
  char *programs;
  char *data;
  char *conninfo;
  pid_t pid;
};

/* Runs a program of the server's as who may; it ends with the test. */
static pid_t start_program(const struct postgres_server *server, const char *name, char *const *argv) {
  char path[4096];
  char log[4096];
  (void)snprintf(path, sizeof(path), "%s/%s", server->programs, name);
  (void)snprintf(log, sizeof(log), "%s/%s.log", server->directory, name);
  pid_t parent = getpid();
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid > 0)
    return pid;
  if (getuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
    _exit(126);
  int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 || chdir(server->directory) < 0 ||
      prctl(PR_SET_PDEATHSIG, SIGQUIT) < 0 || getppid() != parent)
    _exit(126);
  (void)execv(path, argv);
  _exit(127);
}

static bool is_ready(void *ctx) {
  const struct postgres_server *server = ctx;
  int status = 0;
  if (waitpid(server->pid, &status, WNOHANG) == server->pid)
    fail_msg("postgres ended (status %d): see its log in %s", status, server->directory);
  return PQping(server->conninfo) == PQPING_OK;
}

void postgres_server_up(struct postgres_server *server) {
  char *argv[] = {"postgres",          "-D", server->data, "-k", server->directory,     "-c",
                  "listen_addresses=", "-c", "fsync=off",  "-c", "shared_buffers=16MB", NULL};
  server->pid = start_program(server, "postgres", argv);
  wait_until(is_ready, server, READY_S, "PostgreSQL to be ready");
}

void postgres_server_down(struct postgres_server *server) {
  int status = 0;
  assert_int_equal(kill(server->pid, SIGINT), 0);
  assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The directory of the newest version, by its name's order. */
static char *find_programs(void) {
  glob_t found = {0};
  char *path = NULL;
  if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0 && found.gl_pathc > 0)
    path = strdup(found.gl_pathv[found.gl_pathc - 1]);
  globfree(&found);
  return path;
}

struct postgres_server *postgres_server_start(void) {
  char *programs = find_programs();
  if (!programs) {
    (void)printf("SKIPPED: no PostgreSQL server here: install the package postgresql\n");
    return NULL;
  }
  struct postgres_server *server = calloc(1, sizeof(*server));
  assert_non_null(server);
  server->programs = programs;
  server->directory = scratch_create();
  assert_true(asprintf(&server->data, "%s/data", server->directory) > 0);
  assert_true(asprintf(&server->conninfo, "host=%s user=postgres dbname=postgres", server->directory) > 0);
  if (getuid() == 0)
    assert_int_equal(chown(server->directory, NOBODY, NOBODY), 0);
  char *argv[] = {"initdb", "-D",   server->data,       "-U",        "postgres", "-A", "trust",
                  "-E",     "UTF8", "--locale=C.UTF-8", "--no-sync", NULL};
  int status = 0;
  pid_t pid = start_program(server, "initdb", argv);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  if (status != 0)
    fail_msg("initdb ended with status %d: see its log in %s", status, server->directory);
  postgres_server_up(server);
  return server;
}

const char *postgres_server_directory(const struct postgres_server *server) {
  return server->directory;
}

void postgres_server_stop(struct postgres_server *server) {
  if (!server)
    return;
  postgres_server_down(server);
  scratch_remove(server->directory);
  free(server->programs);
  free(server->data);
  free(server->conninfo);
  free(server);
}
