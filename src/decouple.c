/*
 * decouple.c
 *		The door: what the library does when it is loaded, in order.
 */
#include "postgres.h"

#include "fmgr.h"

#include "base/catalog.h"
#include "base/settings.h"
#include "base/shared.h"
#include "base/waiting.h"
#include "delivery/egress.h"
#include "delivery/http.h"
#include "queue/definition.h"
#include "topic/fan_out.h"
#include "topic/topic_totals.h"
#include "store/ending.h"
#include "worker/launcher.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	settings_init(egress_allow_check);
	shared_init();
	catalog_init();
	waiting_init();
	ending_init();
	definition_init();
	fan_out_init();
	topic_totals_init();
	http_init();
	launcher_init();
	leave_init();
}
