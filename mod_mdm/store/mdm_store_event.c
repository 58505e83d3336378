/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit trail: rows are appended in the transaction of what they tell, and never changed. Any thread.
 */
#include "mdm_store_row.h"
#include "mdm_store_status.h"

apr_status_t mdm_store_event(mdm_store_t *st, const char *kind, const char *actor, const char *source_ip,
                             const char *enrollment_id, const char *object, const char *detail)
{
    const char *args[] = {
        mdm_row_text(st, mdm_id_next()), mdm_row_text(st, mdm_ctx_now(st->ctx)), kind, actor, source_ip,
        enrollment_id, object, detail
    };

    return mdm_db_exec(NULL, st->db, STMT_EVENT_INSERT, args);
}
