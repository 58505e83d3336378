/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of the push engine's entries. Called by mdm_push*.c in the worker's thread.
 */
#include "mdm_push_entry.h"

void mdm_push_entries_add(mdm_push_entries_t *entries, mdm_push_entry_t *entry)
{
    entry->next = NULL;
    if (entries->last)
        entries->last->next = entry;
    else
        entries->first = entry;
    entries->last = entry;
    entries->count++;
}

void mdm_push_entries_put_back(mdm_push_entries_t *entries, mdm_push_entry_t *entry)
{
    entry->next = entries->first;
    entries->first = entry;
    if (!entries->last)
        entries->last = entry;
    entries->count++;
}

mdm_push_entry_t *mdm_push_entries_take(mdm_push_entries_t *entries)
{
    mdm_push_entry_t *entry = entries->first;

    if (entry) {
        entries->first = entry->next;
        if (!entries->first)
            entries->last = NULL;
        entries->count--;
    }
    return entry;
}

void mdm_push_entry_free(mdm_push_entry_t *entry)
{
    mdm_push_batch_t *batch = entry->batch;

    if (!--batch->entries)
        apr_pool_destroy(batch->pool);
}
