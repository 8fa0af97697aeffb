/* The HTML report of load in parts, each of which appends to the page. For host/report/load_html*.c only. Texts from
 * outside go through html_text(); the markup is well-formed XML, too. */
#ifndef TRAMMEL_HOST_REPORT_LOAD_HTML_H
#define TRAMMEL_HOST_REPORT_LOAD_HTML_H

#include "host/report/load_report.h"

#define LOAD_RUN_NAME_MAX 160 /* bytes; cut beyond */

struct load_page {
  struct strbuf out;
  const struct load_report *reports;
  size_t count;
  char names[LOAD_HTML_RUNS_MAX][LOAD_RUN_NAME_MAX]; /* of each run, as lines and rows have it */
};

void load_html_charts_of_latency(struct load_page *page); /* load_html_charts.c */
void load_html_charts_over_time(struct load_page *page);

void load_html_latencies(struct load_page *page); /* load_html_tables.c: what the first charts show, in numbers */
void load_html_blocks(struct load_page *page);    /* the same of the charts over time */
void load_html_counts(struct load_page *page);    /* what became of the requests */

#endif
