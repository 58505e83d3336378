/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who does not comply with the passcode policy of his profiles, as the device said in its last SecurityInfo: for the
 * status page, any thread. What no device has been asked is known of none.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_status.h"
#include "mdm_store_fact.h"

#define COMPLIANT "SecurityInfo.PasscodeCompliantWithProfiles"
#define SHOWN 20

static apr_status_t add(json_t *report, json_t *alerts, mdm_store_t *st)
{
    apr_array_header_t *list;
    apr_int64_t count;
    json_t *items;
    apr_status_t rv = mdm_store_passcodes(&list, &count, st, SHOWN);
    int i;

    if (rv != APR_SUCCESS)
        return rv;
    json_object_set_new(report, "passcodes", json_pack("{s:I}", "not_compliant", (json_int_t)count));
    items = json_array();
    for (i = 0; i < list->nelts; i++) {
        const mdm_passcode_t *one = &APR_ARRAY_IDX(list, i, mdm_passcode_t);
        json_t *json = json_pack("{s:s}", "enrollment_id", one->enrollment_id);

        mdm_json_set_text(json, "user", one->login);
        mdm_json_set_text(json, "since", mdm_time_plain(one->since, NULL, st->ctx->pool));
        json_array_append_new(items, json);
    }
    json_object_set_new(report, "passcodes_not_compliant", items);
    if (count)
        json_array_append_new(alerts, json_sprintf("%" JSON_INTEGER_FORMAT " %s", (json_int_t)count, count == 1
            ? "device does not comply with the passcode policy of its profiles: its user has to set another passcode"
            : "devices do not comply with the passcode policy of their profiles: their users have to set other "
              "passcodes"));
    return APR_SUCCESS;
}

void mdm_status_passcodes(json_t *report, json_t *alerts, mdm_store_t *st)
{
    apr_status_t rv = add(report, alerts, st);

    if (rv != APR_SUCCESS)
        mdm_status_failed(alerts, st->ctx, "Who complies with passcode policies cannot be looked up", rv);
}

apr_status_t mdm_status_passcode(json_t *json, mdm_store_t *st, const mdm_enrollment_t *e)
{
    mdm_fact_t *fact;
    const char *since;
    apr_status_t rv;

    if (e->state != MDM_STATE_ENROLLED)
        return APR_SUCCESS;
    rv = mdm_store_fact_get(&fact, st, e->id, COMPLIANT);
    if (rv == MDM_ENOTFOUND)
        return APR_SUCCESS;
    if (rv != APR_SUCCESS)
        return rv;
    since = mdm_time_plain(fact->changed_at, NULL, st->ctx->pool);
    if (strcmp(fact->value, "false")) {
        mdm_json_set_text(json, "passcode", "complies with its profiles");
        return APR_SUCCESS;
    }
    mdm_json_set_text(json, "passcode", apr_pstrcat(st->ctx->pool, "does not comply with its profiles since ", since,
                                                    NULL));
    json_object_set_new(json, "alerts", json_pack("[s]", "The passcode of this device does not comply with the policy "
                                                  "of its profiles: its user has to set another one"));
    return APR_SUCCESS;
}
