/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sign-in says of a person: expressions of MDMUserAttribute, evaluated over the request that Apache has
 * authenticated. The expressions are made while the configuration is read; any request thread evaluates them.
 */
#ifndef MOD_MDM_PERSON_H
#define MOD_MDM_PERSON_H

#include "mdm_person.h"
#include "mod_mdm_config.h"

/** The directive MDMUserAttribute NAME EXPRESSION. @return a sentence for configtest, or NULL */
const char *mdm_person_directive(cmd_parms *cmd, void *dir, const char *name, const char *text);

/**
 * What this request says of `login`, in r->pool. A value that cannot be one is left out and logged.
 * @return NULL when the Location has no MDMUserAttribute
 */
mdm_person_change_t *mdm_person_said(request_rec *r, mdm_ctx_t *ctx, const char *login);

#endif
