/* Whether `trammel perf run` measures what analysis says of a target whose delays are known: docs/accuracy.md has the
 * table. A server stops itself for D seconds in a run of T seconds at a rate L, and is then caught up with at the rate
 * M; with a = 1 - L / M, the response quantile q is D - (1 - q) a T, and the mean is longer by D² / (2 a T).
 *
 *   load_accuracy [--quick] [--trammel FILE]
 *
 * --quick: shorter runs, and only what holds on any machine, however busy. Exits 1 when something is not as it should
 * be. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/load/histogram.h"
#include "sdk/base/clock.h"
#include "tests/bench/stall_server.h"

#define RATE 1000.0
#define SEED "7"
#define SERVICE_MS 10.0 /* of the M/D/1 server */
#define LOAD 0.5        /* of it */
#define WAKE_UP_MAX_MS 1.0

struct bench {
  const char *trammel;
  bool quick;
  double run_s, stall_s;
  double drain_rate; /* requests per second, measured in a closed loop */
  double calm_ms;    /* the mean response without a stall */
  unsigned failed;
};

struct run {
  json_t *json;
  int code;
  struct histogram *response, *service, *lag;
};

static _Noreturn void give_up(const char *what, int error) {
  fprintf(stderr, "load_accuracy: %s: %s\n", what, strerror(error));
  exit(EXIT_FAILURE);
}

/* ---- one run */

static struct histogram *histogram_of(const json_t *json, const char *name) {
  const json_t *text = json_object_get(json_object_get(json_object_get(json, "latencyMs"), name), "histogram");
  struct histogram *histogram = histogram_create();
  if (!histogram)
    give_up("a histogram", ENOMEM);
  if (text && histogram_decode(histogram, json_string_value(text), json_string_length(text), NULL) < 0)
    give_up(name, EINVAL);
  return histogram;
}

/* `stop_s`: the generator itself is stopped for so long after a quarter of the requests; 0: not. */
static struct run run_load(const struct bench *bench, const struct stall_plan *plan, const char *const *options,
                           double stop_s) {
  const char *argv[32] = {bench->trammel, "perf", "run", "-o", "json", "--url"};
  struct stall_server server;
  struct run run = {0};
  int status = 0, r = stall_server_start(plan, &server);
  FILE *out = tmpfile();
  if (r < 0 || !out)
    give_up("the server", r < 0 ? -r : errno);
  size_t count = 6;
  argv[count++] = server.url;
  while (*options)
    argv[count++] = *options++;
  pid_t pid = fork();
  if (pid == 0) {
    (void)dup2(fileno(out), STDOUT_FILENO);
    (void)execv(argv[0], (char *const *)argv);
    _exit(127);
  }
  if (pid > 0 && stop_s > 0) {
    pid_t ended = 0;
    while (atomic_load(server.requests) < RATE * bench->run_s / 4 && (ended = waitpid(pid, &status, WNOHANG)) == 0)
      (void)usleep(1000);
    if (ended != 0) /* its number may be another process's by now */
      give_up("the run ended before it was stopped", ECHILD);
    (void)kill(pid, SIGSTOP);
    (void)usleep((useconds_t)(stop_s * 1e6));
    (void)kill(pid, SIGCONT);
  }
  if (pid < 0 || waitpid(pid, &status, 0) < 0)
    give_up(bench->trammel, errno);
  stall_server_stop(&server);
  rewind(out);
  run.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  run.json = json_loadf(out, 0, NULL);
  (void)fclose(out);
  if (!run.json)
    give_up("the run gave no result", EINVAL);
  run.response = histogram_of(run.json, "response");
  run.service = histogram_of(run.json, "service");
  run.lag = histogram_of(run.json, "lag");
  return run;
}

static void finish(struct run *run) {
  json_decref(run->json);
  histogram_destroy(run->response);
  histogram_destroy(run->service);
  histogram_destroy(run->lag);
}

static double number(const struct run *run, const char *name) {
  return json_number_value(json_object_get(run->json, name));
}

static double quantile_ms(const struct histogram *histogram, double quantile) {
  return (double)histogram_quantile(histogram, quantile) / (double)NS_PER_MS;
}

static double mean_ms(const struct histogram *histogram) {
  return histogram_mean(histogram) / (double)NS_PER_MS;
}

/* ---- the table */

static void check(struct bench *bench, const char *run, const char *what, const char *expected, double low,
                  double measured, double high) {
  bool good = measured >= low && measured <= high;
  printf("| %s | %s | %s | %.3f | %.3f to %.3f | %s |\n", run, what, expected, measured, low, high,
         good ? "yes" : "**no**");
  (void)fflush(stdout);
  bench->failed += !good;
}

static void check_about(struct bench *bench, const char *run, const char *what, double expected, double measured,
                        double tolerance) {
  char text[32];
  (void)snprintf(text, sizeof(text), "%.3f", expected);
  check(bench, run, what, text, expected - tolerance, measured, expected + tolerance);
}

/* scheduled = completed + failed + censored, and all of them are what was due. */
static void check_sum(struct bench *bench, const char *name, const struct run *run) {
  double due = RATE * bench->run_s;
  check(bench, name, "scheduled", "all", due, number(run, "scheduled"), due);
  check(bench, name, "completed + failed + censored", "scheduled", due,
        number(run, "completed") + number(run, "failed") + number(run, "censored"), due);
  check(bench, name, "in histograms", "completed", number(run, "completed"), (double)histogram_count(run->response),
        number(run, "completed"));
}

/* ---- whether this machine can tell */

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* How late a program that sleeps wakes up, at p99: what is late by other programs' work would be taken for the
 * generator's, or the server's. */
static double wake_up_ms(void) {
  enum { SLEEPS = 500 };
  const struct timespec pause = {.tv_nsec = 2000000};
  double late[SLEEPS];
  for (int i = 0; i < SLEEPS; i++) {
    int64_t before_ns = clock_monotonic_ns();
    (void)nanosleep(&pause, NULL);
    late[i] = (double)(clock_monotonic_ns() - before_ns - pause.tv_nsec) / (double)NS_PER_MS;
  }
  qsort(late, SLEEPS, sizeof(*late), by_value);
  return late[SLEEPS * 99 / 100];
}

/* Nothing is measured on a machine that is too busy for it. */
static void check_machine(void) {
  double late_ms = wake_up_ms();
#ifndef __OPTIMIZE__
  fprintf(stderr, "load_accuracy: built without optimisation: the table is of build/release/tests/load_accuracy\n");
#endif
  if (late_ms <= WAKE_UP_MAX_MS)
    return;
  fprintf(stderr,
          "load_accuracy: this machine is too busy: a program that sleeps wakes up %.3f ms late at p99, and at most %g "
          "ms are wanted; end other programs, and run it again. Nothing was measured.\n",
          late_ms, WAKE_UP_MAX_MS);
  exit(EXIT_FAILURE);
}

/* ---- the cases */

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void measure_drain_rate(struct bench *bench) {
  struct run run = run_load(bench, &(struct stall_plan){0}, OPTIONS("--rate", "max", "-c", "10", "-d", "1s"), 0);
  bench->drain_rate = number(&run, "achievedRate");
  finish(&run);
}

static void run_calm(struct bench *bench, const char *duration) {
  const char *name = "no stall";
  struct run run = run_load(bench, &(struct stall_plan){0}, OPTIONS("--rate", "1000", "-c", "10", "-d", duration), 0);
  check_sum(bench, name, &run);
  bench->calm_ms = mean_ms(run.response);
  if (!bench->quick)
    check(bench, name, "response p50 - service p50", "0", 0,
          quantile_ms(run.response, 0.5) - quantile_ms(run.service, 0.5), 0.05);
  finish(&run);
}

/* `waiting_s`: how much of the stall requests still become due in. */
static void run_stall(struct bench *bench, const char *name, const char *duration, double at_s, double waiting_s) {
  static const struct {
    const char *name;
    double quantile;
  } quantiles[] = {{"response p97.5", 0.975}, {"response p99", 0.99}, {"response p99.9", 0.999}};
  const struct stall_plan plan = {.stall_at_ns = (int64_t)(at_s * 1e9),
                                  .stall_for_ns = (int64_t)(bench->stall_s * 1e9)};
  if (!bench->quick)
    measure_drain_rate(bench); /* it is not the same all the time */
  double a = 1 - RATE / bench->drain_rate, d_ms = 1000 * bench->stall_s, t_ms = 1000 * bench->run_s;
  bool whole = waiting_s >= bench->stall_s;
  double waited = whole ? bench->stall_s / a : waiting_s; /* seconds in which what was due had to wait */
  struct run run = run_load(bench, &plan, OPTIONS("--rate", "1000", "-c", "10", "-d", duration), 0);
  check_sum(bench, name, &run);
  check(bench, name, "response max", "about D", d_ms - 1000 / RATE - 5, quantile_ms(run.response, 1),
        bench->quick ? INFINITY : d_ms + 20);
  if (!bench->quick) {
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++)
      if (1 - quantiles[i].quantile < 0.9 * waited / bench->run_s)
        check_about(bench, name, quantiles[i].name, d_ms - (1 - quantiles[i].quantile) * a * t_ms,
                    quantile_ms(run.response, quantiles[i].quantile), fmax(5, 0.02 * d_ms));
    double more_ms = waited * (d_ms - a * 1000 * waited / 2) / bench->run_s;
    check_about(bench, name, "response mean", bench->calm_ms + more_ms, mean_ms(run.response),
                0.05 * (bench->calm_ms + more_ms));
    check(bench, name, "service p99: the stall hides", "short", 0, quantile_ms(run.service, 0.99), 10);
  }
  finish(&run);
}

static void run_queue(struct bench *bench) {
  const struct stall_plan plan = {.service_ns = (int64_t)(SERVICE_MS * 1e6)};
  double expected = SERVICE_MS * (1 + LOAD / (2 * (1 - LOAD)));
  struct run run = run_load(
      bench, &plan, OPTIONS("--rate", "50", "--schedule", "poisson", "--seed", SEED, "-c", "64", "-d", "40s"), 0);
  check_about(bench, "M/D/1, half loaded", "response mean", expected, mean_ms(run.response), 0.1 * expected);
  finish(&run);
}

static bool has_doubt(const struct run *run, const char *name) {
  size_t i;
  const json_t *doubt;
  json_array_foreach(json_object_get(run->json, "doubts"), i, doubt) {
    if (strcmp(json_string_value(json_object_get(doubt, "name")), name) == 0)
      return true;
  }
  return false;
}

static void run_stopped(struct bench *bench, const char *duration) {
  const char *name = "the generator is stopped";
  double d_ms = 1000 * bench->stall_s;
  struct run run =
      run_load(bench, &(struct stall_plan){0}, OPTIONS("--rate", "1000", "-c", "10", "-d", duration), bench->stall_s);
  check_sum(bench, name, &run);
  check(bench, name, "lag max", "about D", d_ms - 1000 / RATE - 5, quantile_ms(run.lag, 1),
        bench->quick ? INFINITY : d_ms + 20);
  check(bench, name, "INVALID by lag", "1", 1, has_doubt(&run, "lag"), 1);
  check(bench, name, "exit code", "3", 3, run.code, 3);
  finish(&run);
}

int main(int argc, char **argv) {
  struct bench bench = {.trammel = BUILD_DIRECTORY "/bin/trammel", .run_s = 10, .stall_s = 0.5};
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--quick") == 0)
      bench.quick = true;
    else if (strcmp(argv[i], "--trammel") == 0 && i + 1 < argc)
      bench.trammel = argv[++i];
    else
      return fprintf(stderr, "usage: load_accuracy [--quick] [--trammel FILE]\n"), 2;
  }
  if (bench.quick) {
    bench.run_s = 2;
    bench.stall_s = 0.25;
  }
  const char *duration = bench.quick ? "2s" : "10s";
  if (!bench.quick)
    check_machine();
  measure_drain_rate(&bench);
  printf("D = %g s, T = %g s, 1000 requests per second on 10 connections, caught up with at %.0f; times in ms.\n\n"
         "| run | what | expected | measured | allowed | as it should be |\n|---|---|---|---|---|---|\n",
         bench.stall_s, bench.run_s, bench.drain_rate);
  run_calm(&bench, duration);
  run_stall(&bench, "a stall", duration, 0.3 * bench.run_s, bench.stall_s);
  if (!bench.quick) {
    run_stall(&bench, "a stall in the first second", duration, 0.2, bench.stall_s);
    run_stall(&bench, "a stall across the end", duration, bench.run_s - bench.stall_s / 2, bench.stall_s / 2);
    run_queue(&bench);
  }
  run_stopped(&bench, duration);
  printf("\n%u of these are not as they should be.\n", bench.failed);
  return bench.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
