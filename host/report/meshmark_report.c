#include "host/report/meshmark_report.h"

#include <errno.h>
#include <math.h>

static bool is_whole(const struct meshmark *mark) {
  return mark->told == MESHMARK_CLASSES;
}

/* ---- for programs */

static void put_number(json_t *json, const char *name, double value) {
  if (isfinite(value))
    (void)json_object_set_new(json, name, json_real(value));
}

static json_t *class_json(const struct meshmark *mark, unsigned i) {
  const struct meshmark_class_definition *class = &meshmark_classes[i];
  const struct meshmark_input *input = &mark->inputs[i];
  json_t *json = json_pack("{s:s, s:s, s:f}", "name", class->name, "of", class->text, "weight", class->weight);
  if (class->reference > 0)
    put_number(json, "reference", class->reference);
  if (!class->of_mesh_only)
    put_number(json, "direct", input->direct);
  put_number(json, "mesh", input->mesh);
  put_number(json, "efficiency", mark->efficiencies[i]);
  if (input->missing)
    (void)json_object_set_new(json, "reason", json_string(input->missing));
  return json;
}

json_t *meshmark_json(const struct meshmark *mark, const struct meshmark_runs *runs) {
  json_t *classes = json_array();
  for (unsigned i = 0; i < MESHMARK_CLASSES; i++)
    (void)json_array_append_new(classes, class_json(mark, i));
  json_t *json = json_pack("{s:s, s:i, s:f, s:f, s:o, s:I, s:I}", "format", "trammel.meshmark/v1", "definition",
                           MESHMARK_DEFINITION, "low", mark->low, "high", mark->high, "classes", classes, "meshRuns",
                           (json_int_t)runs->mesh_count, "directRuns", (json_int_t)runs->direct_count);
  if (is_whole(mark))
    put_number(json, "mark", mark->low);
  return json;
}

/* ---- for people */

static void print_number(FILE *out, bool there, double value) {
  if (there)
    fprintf(out, " %11.6g", value);
  else
    fprintf(out, " %11s", "");
}

static void print_class(FILE *out, const struct meshmark *mark, unsigned i) {
  const struct meshmark_class_definition *class = &meshmark_classes[i];
  const struct meshmark_input *input = &mark->inputs[i];
  fprintf(out, "  %-32s", class->text);
  print_number(out, !class->of_mesh_only && isfinite(input->direct), input->direct);
  print_number(out, isfinite(input->mesh), input->mesh);
  print_number(out, class->reference > 0, class->reference);
  if (isfinite(mark->efficiencies[i]))
    fprintf(out, " %10.1f %6.0f%%\n", mark->efficiencies[i], 100 * class->weight);
  else
    fprintf(out, " %10s %6.0f%%  %s\n", "can't tell", 100 * class->weight, input->missing);
}

int meshmark_text(const struct meshmark *mark, const struct meshmark_runs *runs, FILE *out) {
  fprintf(out, "%zu run%s through the mesh, %zu without it; definition %d\n\n", runs->mesh_count,
          runs->mesh_count == 1 ? "" : "s", runs->direct_count, MESHMARK_DEFINITION);
  fprintf(out, "  %-32s %11s %11s %11s %10s %7s\n", "", "direct", "mesh", "reference", "efficiency", "weight");
  for (unsigned i = 0; i < MESHMARK_CLASSES; i++)
    print_class(out, mark, i);
  if (is_whole(mark))
    fprintf(out, "\nMeshMark %.1f\n", mark->low);
  else if (mark->told > 0)
    fprintf(out, "\nMeshMark between %.1f and %.1f: %u of %d classes can't be told\n", mark->low, mark->high,
            MESHMARK_CLASSES - mark->told, MESHMARK_CLASSES);
  else
    fputs("\nMeshMark can't be told\n", out);
  return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}
