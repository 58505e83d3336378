/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mod_mdm remembers: records, and functions to get and change them, a header per family. One function is
 * one statement unless it says otherwise; none starts a transaction by itself unless it says so: callers
 * group them with mdm_db_transact. Times are microseconds since 1970 UTC, 0 = never. Texts are NULL when
 * absent. Results live in ctx->pool. Secrets go in and come out in the clear and are sealed in the tables
 * (mdm_seal). All return MDM_EDB, or MDM_ECONFLICT inside a transaction, beside what they name.
 */
#ifndef MDM_STORE_H
#define MDM_STORE_H

#include "mdm_store_base.h"
#include "mdm_store_certificate.h"
#include "mdm_store_change.h"
#include "mdm_store_channel.h"
#include "mdm_store_connect.h"
#include "mdm_store_crl.h"
#include "mdm_store_enrollment.h"
#include "mdm_store_escrow.h"
#include "mdm_store_fact.h"
#include "mdm_store_invitation.h"
#include "mdm_store_profile.h"
#include "mdm_store_push.h"
#include "mdm_store_queue.h"
#include "mdm_store_reach.h"
#include "mdm_store_renewal.h"
#include "mdm_store_request.h"
#include "mdm_store_secret.h"
#include "mdm_store_session.h"
#include "mdm_store_status.h"

#endif
