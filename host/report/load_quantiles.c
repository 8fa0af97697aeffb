#include "host/report/load_quantiles.h"

const struct load_quantile load_quantiles[LOAD_QUANTILES] = {
    {"p50", 0.5}, {"p75", 0.75}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};
