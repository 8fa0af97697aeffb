#include "host/cli/reproduction.h"

#include <inttypes.h>
#include <string.h>

#include "host/adapter/remote.h"
#include "sdk/base/strbuf.h"

/* Adds a word, quoted for a shell when it needs it. */
static void put_word(struct strbuf *text, const char *word) {
  strbuf_putc(text, ' ');
  if (word[0] &&
      strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,+@") == strlen(word)) {
    strbuf_puts(text, word);
    return;
  }
  strbuf_putc(text, '\'');
  for (; *word; word++) {
    if (*word == '\'')
      strbuf_puts(text, "'\\''");
    else
      strbuf_putc(text, *word);
  }
  strbuf_putc(text, '\'');
}

static void put_option(struct strbuf *text, const char *option, const char *argument) {
  if (!argument)
    return;
  put_word(text, option);
  put_word(text, argument);
}

static void put_options(struct strbuf *text, const char *option, const struct list *arguments) {
  for (size_t i = 0; i < arguments->count; i++)
    put_option(text, option, arguments->items[i]);
}

static void put_remote(struct strbuf *text, const char *address) {
  _cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
  if (!address)
    return;
  strbuf_printf(&word, REMOTE_PREFIX "%s", address);
  put_option(text, "--adapter", strbuf_text(&word));
}

static void put_lab(struct strbuf *text, const struct lab_options *lab, const struct cluster_options *cluster) {
  if (!lab->kubernetes)
    return;
  put_option(text, "--lab", "kubernetes");
  put_option(text, "--workload-image", lab->image);
  put_option(text, "--kubeconfig", cluster->kubeconfig);
  put_option(text, "--context", cluster->context);
}

char *command_line_as_given(int count, const char *const *words, bool seed_given, uint64_t seed) {
  struct strbuf text = STRBUF_INIT;

  strbuf_puts(&text, "trammel conformance run");
  for (int i = 1; i < count; i++)
    put_word(&text, words[i]);
  if (!seed_given)
    strbuf_printf(&text, " --seed %" PRIu64, seed);
  return strbuf_steal(&text);
}

char *command_line_of_circumstances(const struct mesh_options *mesh, const struct lab_options *lab,
                                    const struct suite_options *suite, const struct list *timing, uint64_t seed) {
  struct strbuf text = STRBUF_INIT;

  strbuf_puts(&text, "trammel conformance run");
  put_option(&text, "--mesh", mesh->mesh);
  put_remote(&text, mesh->remote);
  put_option(&text, "--adapter-ca", mesh->identity.ca);
  put_option(&text, "--adapter-cert", mesh->identity.certificate);
  put_option(&text, "--adapter-key", mesh->identity.key);
  put_option(&text, "--config", mesh->config_file);
  put_options(&text, "--set", &mesh->settings);
  put_options(&text, "--endpoint", &mesh->endpoints);
  put_options(&text, "--endpoint-token-file", &mesh->tokens);
  put_options(&text, "--program", &mesh->programs);
  put_options(&text, "--adapter-dir", &mesh->adapters.directories);
  put_option(&text, "--placement", adapter_options_placement(&mesh->adapters));
  if (mesh->adapters.registry.allow_unconfined)
    put_word(&text, "--allow-unconfined");
  put_lab(&text, lab, &mesh->cluster);
  put_option(&text, "--suite", suite->name);
  put_options(&text, "--suite", &suite->directories);
  for (size_t i = 0; i < timing->count; i++)
    put_word(&text, timing->items[i]);
  strbuf_printf(&text, " --seed %" PRIu64, seed);
  return strbuf_steal(&text);
}
