/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command held against the devices it was ordered for: system, version, supervision, way of enrollment, as far as
 * they have said it of themselves. Called by the API after an order, any thread. Nothing is refused here: what is known
 * may be old, and the device itself has the last word.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_command_target.h"
#include "mdm_payload_check.h"

/* @return NULL: nothing speaks against it */
static const char *doubt_of(const mdm_command_type_t *type, const mdm_payload_target_t *t, apr_pool_t *p)
{
    const char *version, *title = mdm_key_system_title(t->system);

    if (!t->system)
        return NULL;
    if (!mdm_key_version(&version, type->since, t->system, p) || !strcmp(version, "-"))
        return apr_psprintf(p, "there is no %s in %s", type->name, title);
    if (t->os_version && mdm_key_is_older(t->os_version, version))
        return apr_psprintf(p, "%s needs %s %s, and it has %s", type->name, title, version, t->os_version);
    if (t->user_enrollment)
        return mdm_key_has_system(type->user_enrollment, t->system) ? NULL
               : apr_psprintf(p, "%s is not for devices that came by User Enrollment", type->name);
    if (!t->supervised && mdm_key_has_system(type->supervised, t->system))
        return apr_psprintf(p, "%s needs a supervised device, and it is not supervised", type->name);
    return NULL;
}

apr_status_t mdm_command_doubts(apr_array_header_t **doubts, mdm_store_t *st, const mdm_command_type_t *type,
                                const mdm_command_t *command)
{
    apr_pool_t *p = st->ctx->pool;
    apr_array_header_t *kinds;
    apr_status_t rv = mdm_store_command_kinds(&kinds, st, command->id);
    int i;

    *doubts = apr_array_make(p, 1, sizeof(const char *));
    for (i = 0; rv == APR_SUCCESS && i < kinds->nelts && (*doubts)->nelts < MDM_COMMAND_DOUBTS_MAX; i++) {
        const mdm_device_kind_t *kind = &APR_ARRAY_IDX(kinds, i, mdm_device_kind_t);
        mdm_payload_target_t target = mdm_payload_target(kind->type, kind->product_name, kind->os_version,
                                                         kind->supervised);
        const char *doubt = doubt_of(type, &target, p);

        if (doubt && kind->count > 1)
            doubt = apr_psprintf(p, "%s and %" APR_INT64_T_FMT " like it: %s", kind->enrollment_id, kind->count - 1,
                                 doubt);
        else if (doubt)
            doubt = apr_pstrcat(p, kind->enrollment_id, ": ", doubt, NULL);
        if (doubt)
            APR_ARRAY_PUSH(*doubts, const char *) = doubt;
    }
    return rv;
}
