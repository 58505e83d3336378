/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of v1/groups share. Request threads only.
 */
#ifndef MOD_MDM_API_GROUPS_H
#define MOD_MDM_API_GROUPS_H

#include "mdm_group.h"
#include "mdm_preview_members.h"
#include "mod_mdm_api.h"

/** Refuse what was sent of a group, which is named. */
int mdm_api_group_refuse(mdm_api_t *api, const char *name, apr_status_t rv);

/** Answer with a group. */
int mdm_api_group_show(mdm_api_t *api, const char *name, int status);

/** What the body of a PUT says a group is to be. */
typedef struct mdm_api_group_body_t {
    mdm_group_kind_e kind;
    mdm_rule_t *rule;
    const char *directory;
} mdm_api_group_body_t;

/** Read it; no body is a static group. @return MDM_EINPUT, MDM_ETOOBIG */
apr_status_t mdm_api_group_body(mdm_api_group_body_t *out, mdm_api_t *api);

/** PUT of a rule or directory group. */
int mdm_api_group_put(mdm_api_t *api, const char *name, const mdm_api_group_body_t *body);

/** POST v1/groups/NAME/preview */
int mdm_api_group_preview(mdm_api_t *api, const char *name);

/** The same of other members of a static group: {"members": [id, ...]}. */
int mdm_api_group_preview_members(mdm_api_t *api, const char *name, const json_t *json, int limit);

/** The enrollment that the query parameter "cursor" names; 0: none does. @return MDM_ENOTFOUND */
apr_status_t mdm_api_group_after(apr_int64_t *after, mdm_api_t *api);

/** Answer with who would move and what devices would do. @param members who moves, all told */
int mdm_api_group_show_preview(mdm_api_t *api, const char *name, const mdm_group_preview_t *preview,
                               mdm_preview_members_t *members);

#endif
