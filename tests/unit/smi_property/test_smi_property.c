/* The property tests' own ground: worlds have what adapters find hard, requests are on both sides of the edges, and a
 * mesh that is wrong is found out. The adapter in it is the reference mesh's, and the meshes do what the oracle says,
 * or, with an argument, something wrong: then a test must fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/support/smi_property/property.h"

static const char *fault = "";

static void *mesh_open(const struct world *world, const struct translated *translated) {
  assert_int_equal(json_array_size(translated->objects), translated->response->n_objects);
  return (void *)(uintptr_t)world;
}

static void mesh_close(void *mesh) {
  (void)mesh;
}

static bool admits(void *mesh, const struct request *request) {
  if (strcmp(fault, "admits-all") == 0)
    return true;
  return strcmp(fault, "admits-none") != 0 && smi_allows(mesh, request);
}

static void shares(void *mesh, const struct outbound_request *request, struct shares *ret_shares) {
  smi_shares(mesh, request, ret_shares);
  for (size_t i = 0; strcmp(fault, "splits-equally") == 0 && i < ret_shares->count; i++) {
    ret_shares->sum += 1 - ret_shares->items[i].weight;
    ret_shares->items[i].weight = 1;
  }
}

static const struct property property = {.config = "",
                                         .options = {.targets_max = 6, .splits_max = 3},
                                         .worlds = 100,
                                         .requests = 100,
                                         .open = mesh_open,
                                         .close = mesh_close,
                                         .admits = admits,
                                         .shares = shares};

static void a_right_mesh_passes_on_access(void **state) {
  (void)state;
  struct property_seen seen;
  property_access(&property, &seen);
  print_message("of %u requests SMI allows %u (%u of them by exact parts) and denies %u\n", seen.requests, seen.allowed,
                seen.exact, seen.denied);
  assert_in_range(seen.allowed, seen.requests / 8, seen.requests / 2);
  assert_in_range(seen.denied, seen.requests / 3, seen.requests * 4 / 5);
  assert_in_range(seen.exact, seen.allowed / 2, seen.allowed);
  assert_int_equal(seen.admitted, seen.allowed);
}

static void a_right_mesh_passes_on_splits(void **state) {
  (void)state;
  struct property_seen seen;
  property_shares(&property, &seen);
  print_message("of %u requests %u are split, %u exactly\n", seen.requests, seen.distributed, seen.distributed_exactly);
  assert_in_range(seen.distributed, seen.requests / 3, seen.requests);
  assert_in_range(seen.distributed_exactly, seen.distributed / 2, seen.distributed);
}

static void the_same_seed_is_the_same_world(void **state) {
  (void)state;
  char *texts[3] = {NULL};
  size_t lengths[3] = {0};
  for (size_t i = 0; i < 3; i++) {
    FILE *to = open_memstream(&texts[i], &lengths[i]);
    assert_non_null(to);
    struct world *world = world_create(i < 2 ? 7 : 8, &property.options);
    struct request request;
    world_print(world, to);
    assert_true(request_draw(world, &request));
    request_print(&request, to);
    world_destroy(world);
    assert_int_equal(fclose(to), 0);
  }
  assert_string_equal(texts[0], texts[1]);
  assert_string_not_equal(texts[0] + sizeof "world of seed N", texts[2] + sizeof "world of seed N");
  for (size_t i = 0; i < 3; i++)
    free(texts[i]);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_right_mesh_passes_on_access),
      cmocka_unit_test(a_right_mesh_passes_on_splits),
      cmocka_unit_test(the_same_seed_is_the_same_world),
  };
  if (argc > 1)
    fault = argv[1];
  return cmocka_run_group_tests(tests, NULL, NULL);
}
