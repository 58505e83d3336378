/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Late building of profiles. The present row decides what is built; a command that the row does not name is of the
 * past, whatever the queue says. Called by core/mdm_delivery.c.
 */
#include <string.h>

#include "mdm_delivery_profile.h"
#include "mdm_profile.h"
#include "mdm_unreadable.h"

static apr_status_t is_over(mdm_store_t *st)
{
    return mdm_fail(st->ctx, MDM_EGONE, "something newer took its place, or the profile is not to be there any more");
}

/* A batch of one. */
static apr_status_t read_enrollment(apr_array_header_t **all, mdm_store_t *st, const mdm_connect_row_t *row)
{
    apr_int64_t ids[] = { row->enrollment, row->parent };
    mdm_effect_of_t *of;
    apr_array_header_t *list;
    apr_status_t rv = mdm_store_batch_enrollments(&list, st, ids, row->parent ? 2 : 1);
    int i;

    if (rv != APR_SUCCESS)
        return rv;
    *all = apr_array_make(st->ctx->pool, 1, sizeof(mdm_effect_of_t));
    of = apr_array_push(*all);
    memset(of, 0, sizeof(*of));
    for (i = 0; i < list->nelts; i++) {
        const mdm_enrollment_t *e = APR_ARRAY_IDX(list, i, const mdm_enrollment_t *);

        if (e->id == row->enrollment)
            of->enrollment = e;
        else
            of->device = e;
    }
    if (!of->enrollment)
        return is_over(st);
    of->device = of->device ? of->device : of->enrollment;
    return APR_SUCCESS;
}

static apr_status_t find_recipient(mdm_cert_t **cert, mdm_store_t *st, const mdm_device_t *device,
                                   const mdm_connect_row_t *row)
{
    mdm_certificate_t *found;
    apr_status_t rv;

    *cert = NULL;
    if (row->parent)
        return APR_SUCCESS;
    rv = mdm_store_certificate_by_fingerprint(&found, st, device->fingerprint);
    if (rv == APR_SUCCESS)
        rv = mdm_cert_from_pem(cert, st->ctx, mdm_bytes_of(found->pem));
    /* to an elliptic key nothing can be encrypted */
    if (rv == APR_SUCCESS && !mdm_cms_may_receive(*cert))
        *cert = NULL;
    return rv;
}

static apr_status_t render(mdm_plist_t **profile, const char **uuid, mdm_store_t *st, mdm_render_t *shelf,
                           const mdm_desired_t *desired, const mdm_connect_row_t *row)
{
    const mdm_template_t *template;
    apr_array_header_t *all, *values = NULL;
    apr_status_t rv = mdm_render_template(&template, shelf, st, desired->profile, desired->version);

    if (rv == APR_SUCCESS && mdm_template_depends(template)) {
        if ((rv = read_enrollment(&all, st, row)) == APR_SUCCESS)
            rv = mdm_render_values(&values, shelf, st, all);
    }
    if (rv != APR_SUCCESS)
        return rv;
    return mdm_render_profile(profile, uuid, shelf, st, desired->profile, desired->version,
                              values ? &APR_ARRAY_IDX(values, 0, mdm_values_t) : NULL);
}

static apr_status_t block(mdm_store_t *st, mdm_render_t *shelf, const mdm_desired_t *desired, const char *reason)
{
    apr_status_t rv;

    mdm_ctx_clear(st->ctx);
    rv = mdm_store_desired_block(st, desired, reason);
    if (rv == APR_SUCCESS || rv == MDM_ENOTFOUND)
        rv = mdm_unreadable_note(st, shelf);
    if (rv != APR_SUCCESS)
        return rv;
    mdm_unreadable_tell(st->ctx, shelf);
    return mdm_fail(st->ctx, MDM_EGONE, "%s", reason);
}

static apr_status_t write_body(mdm_bytes_t *body, mdm_ctx_t *ctx, mdm_bytes_t der, const char *uuid)
{
    mdm_plist_t *root = mdm_plist_dict(ctx->pool);
    mdm_plist_t *command = mdm_plist_set(root, "Command", mdm_plist_dict(ctx->pool), ctx->pool);

    mdm_plist_set_data(command, "Payload", der, ctx->pool);
    mdm_plist_set_string(command, "RequestType", "InstallProfile", ctx->pool);
    mdm_plist_set_string(root, "CommandUUID", uuid, ctx->pool);
    return mdm_plist_write(body, ctx, root);
}

apr_status_t mdm_delivery_profile(mdm_bytes_t *body, mdm_store_t *st, const mdm_site_t *site,
                                  const mdm_device_t *device, const mdm_connect_row_t *row)
{
    mdm_render_t *shelf = mdm_render_create(st);
    mdm_desired_t *desired;
    mdm_plist_t *profile;
    const char *uuid;
    mdm_cert_t *recipient;
    mdm_bytes_t der;
    apr_status_t rv = mdm_store_desired_by_command(&desired, st, row->enrollment, row->next);

    if (rv == MDM_ENOTFOUND || (rv == APR_SUCCESS && !desired->version))
        return is_over(st);
    if (rv != APR_SUCCESS)
        return rv;
    rv = render(&profile, &uuid, st, shelf, desired, row);
    if (rv == MDM_ENOTFOUND)
        return block(st, shelf, desired, mdm_ctx_detail(st->ctx, rv));
    if (rv != APR_SUCCESS || (rv = find_recipient(&recipient, st, device, row)) != APR_SUCCESS
        || (rv = mdm_profile_seal_for(&der, st->ctx, site, profile, recipient)) != APR_SUCCESS
        || (rv = write_body(body, st->ctx, der, row->next_uuid)) != APR_SUCCESS)
        return rv;
    rv = mdm_store_desired_sent(st, desired, uuid);
    return rv == MDM_ENOTFOUND ? is_over(st) : rv;
}

apr_status_t mdm_delivery_profile_removal(mdm_bytes_t *body, mdm_store_t *st, const mdm_connect_row_t *row)
{
    mdm_desired_t *desired;
    apr_status_t rv = mdm_store_desired_by_command(&desired, st, row->enrollment, row->next);

    if (rv == MDM_ENOTFOUND)
        return is_over(st);
    *body = mdm_bytes_of(row->next_body);
    return rv;
}
