/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last failure, in anonymous shared memory made by the parent. Writers take turns in a ring of slots by
 * an atomic counter, so that a reader never meets a text that is being written unless a whole ring of
 * failures comes meanwhile.
 */
#include <apr_atomic.h>
#include <apr_shm.h>
#include <apr_strings.h>

#include "mod_mdm_alarm.h"

#define SLOTS 16
#define TEXT_MAX 300

typedef struct {
    apr_time_t at;
    char text[TEXT_MAX];
} slot_t;

typedef struct {
    apr_uint32_t taken;       /* failures that have got a slot so far */
    apr_uint32_t last;        /* a failure whose text stands, counted from 1; 0: none yet */
    slot_t slots[SLOTS];
} board_t;

static board_t *board;

static apr_status_t forget(void *unused)
{
    (void)unused;
    board = NULL;
    return APR_SUCCESS;
}

apr_status_t mdm_alarm_create(apr_pool_t *p)
{
    apr_shm_t *shm;
    apr_status_t rv = apr_shm_create(&shm, sizeof(*board), NULL, p);

    if (rv != APR_SUCCESS)
        return rv;
    board = apr_shm_baseaddr_get(shm);
    memset(board, 0, sizeof(*board));
    apr_pool_cleanup_register(p, NULL, forget, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

void mdm_alarm_raise(apr_time_t at, const char *text)
{
    apr_uint32_t number;
    slot_t *slot;

    if (!board)
        return;
    number = apr_atomic_inc32(&board->taken);
    slot = &board->slots[number % SLOTS];
    slot->at = at;
    apr_cpystrn(slot->text, text, sizeof(slot->text));
    apr_atomic_set32(&board->last, number + 1);
}

const char *mdm_alarm_last(apr_time_t *at, apr_time_t now, apr_interval_time_t span, apr_pool_t *p)
{
    apr_uint32_t last = board ? apr_atomic_read32(&board->last) : 0;
    const slot_t *slot;

    if (!last)
        return NULL;
    slot = &board->slots[(last - 1) % SLOTS];
    *at = slot->at;
    return now - slot->at <= span ? apr_pstrndup(p, slot->text, TEXT_MAX - 1) : NULL;
}
