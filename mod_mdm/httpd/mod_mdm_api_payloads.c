/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's payload types, for consoles that make forms of them: GET v1/payloads[/<PayloadType>]. Request threads only;
 * no database.
 */
#include "mdm_payload_table.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"

static const char *const reading[] = { "GET", NULL };

static int list(mdm_api_t *api)
{
    const mdm_payload_type_t *type;
    json_t *types = json_array();
    int n;

    for (n = 0; (type = mdm_payload_type_at(n)) != NULL; n++)
        json_array_append_new(types, mdm_payload_type_to_json(type, 1, api->r->pool));
    return mdm_api_json(api, HTTP_OK, json_pack("{s:o}", "types", types));
}

int mdm_api_payloads(mdm_api_t *api)
{
    const mdm_payload_type_t *type;
    int sent;

    if (!mdm_io_method(&sent, api->r, reading))
        return sent;
    if (!api->path)
        return list(api);
    if (!(type = mdm_payload_type(api->path)))
        return mdm_api_error(api, HTTP_NOT_FOUND, mdm_fail(api->ctx, MDM_ENOTFOUND, "no PayloadType of this name is "
                                                           "known: GET v1/payloads lists those that are"));
    return mdm_api_json(api, HTTP_OK, mdm_payload_type_to_json(type, 0, api->r->pool));
}
