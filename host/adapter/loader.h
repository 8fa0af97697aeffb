/* Loads an adapter that passed the gate, once per process: it is never unloaded, so a new version means a new process.
 */
#ifndef TRAMMEL_HOST_ADAPTER_LOADER_H
#define TRAMMEL_HOST_ADAPTER_LOADER_H

#include "host/adapter/gate.h"

/* The adapter's table, checked: long enough, of this major version, every function there, id and version as in the
 * note. A file that is loaded already gives the same table. Takes over the descriptor of `gate` when it loads it. Any
 * thread. -EINVAL: the table, with each fault named; -ELIBBAD: the dynamic linker refuses; -ESTALE: the file was loaded
 * before with other content. */
int loader_load(struct gate *gate, const trammel_adapter **ret_adapter, struct error **err);

#endif
