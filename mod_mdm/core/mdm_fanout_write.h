/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan put into the tables, many enrollments at a time: what should hold, one command for a profile and what is done
 * with it, the end of older ones that still wait, and the wish for wake-ups.
 */
#ifndef MDM_FANOUT_WRITE_H
#define MDM_FANOUT_WRITE_H

#include "mdm_plan.h"

#define MDM_FANOUT_ACTOR "profiles"       /* created_by of its commands */

/**
 * Write a plan, in the transaction that read what it was made from.
 * @param change  id of the change it belongs to: its commands are shared by all its steps; 0: commands of its own
 * @param changed how many enrollments it changes anything for, but for notes
 * @param queued  how many commands are queued
 * @return MDM_ECONFLICT when an enrollment has left meanwhile
 */
apr_status_t mdm_fanout_write(int *changed, int *queued, mdm_store_t *st, apr_int64_t change,
                              const apr_array_header_t *items);

/**
 * A command that installs or removes a profile; it is in the table.
 * @param key names it for good, so that it is found again; NULL: nobody asks for it
 */
apr_status_t mdm_fanout_command(mdm_command_t **out, mdm_store_t *st, apr_int64_t profile, int removes,
                                const char *key);

#endif
