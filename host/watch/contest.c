#include "host/watch/contest.h"

static bool is_lost(const struct contest *contest) {
  return contest->rounds >= CONTEST_ROUNDS;
}

bool contest_allows(const struct contest *contest, int64_t now_ns) {
  return !is_lost(contest) || now_ns - contest->last_ns >= CONTEST_REST_NS;
}

void contest_note(struct contest *contest, int64_t now_ns) {
  int64_t over_ns = is_lost(contest) ? CONTEST_REST_NS + CONTEST_WITHIN_NS : CONTEST_WITHIN_NS;

  if (now_ns - contest->last_ns > over_ns)
    contest->rounds = 0;
  contest->rounds++;
  contest->last_ns = now_ns;
}
