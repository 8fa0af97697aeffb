/* What an adapter outside of Trammel's tree includes, installed as <trammel/adapter.h>: the typed layer, and what it
 * offers for translating. */
#ifndef TRAMMEL_ADAPTER_H
#define TRAMMEL_ADAPTER_H

#include "sdk/adapter/adapter.h"
#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"
#include "sdk/smi/index.h"
#include "sdk/smi/regex.h"
#include "sdk/smi/weight.h"

#endif
