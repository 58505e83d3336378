/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failed sign-ins, in anonymous shared memory made by the parent: a table of fixed size, in which a key has
 * the choice of the slots of one bucket and drives out the oldest. The hash key is new at each start, so
 * nobody can choose names that meet in a bucket. Any request thread; a mutex over all children guards the
 * table.
 */
#include <arpa/inet.h>

#include <apr_global_mutex.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <util_mutex.h>

#include "mdm_bytes.h"
#include "mod_mdm_rate.h"

#define MUTEX_TYPE "mdm-sign-in"
#define BUCKETS 1024
#define SLOTS 8

typedef struct {
    apr_uint64_t key;
    apr_time_t since;           /* of the first failure counted */
    apr_uint32_t count;
} slot_t;

typedef struct {
    slot_t slots[BUCKETS][SLOTS];
} table_t;

static table_t *table;
static apr_global_mutex_t *mutex;
static unsigned char hash_key[MDM_SHA256_LEN];

static apr_status_t forget(void *unused)
{
    (void)unused;
    table = NULL;
    mutex = NULL;
    return APR_SUCCESS;
}

static int expired(const slot_t *slot, apr_time_t now, apr_interval_time_t period)
{
    return !slot->count || slot->since + period <= now || slot->since > now;
}

/* The slot of a key; NULL when it has none. */
static slot_t *find(apr_uint64_t key, apr_time_t now, apr_interval_time_t period)
{
    slot_t *bucket = table->slots[key % BUCKETS];
    int i;

    for (i = 0; i < SLOTS; i++) {
        if (bucket[i].key == key && !expired(&bucket[i], now, period))
            return &bucket[i];
    }
    return NULL;
}

static slot_t *make(apr_uint64_t key, apr_time_t now, apr_interval_time_t period)
{
    slot_t *bucket = table->slots[key % BUCKETS], *slot = bucket;
    int i;

    for (i = 0; i < SLOTS && !expired(slot, now, period); i++) {
        if (expired(&bucket[i], now, period) || bucket[i].since < slot->since)
            slot = &bucket[i];
    }
    slot->key = key;
    slot->since = now;
    slot->count = 0;
    return slot;
}

static void count(apr_uint64_t key, apr_time_t now, apr_interval_time_t period)
{
    slot_t *slot = find(key, now, period);

    if (!slot)
        slot = make(key, now, period);
    slot->count++;
}

static apr_interval_time_t wait_of(const mdm_conf_t *conf, apr_uint64_t key, apr_time_t now)
{
    const slot_t *slot = find(key, now, conf->sign_in_period);

    if (!slot || slot->count < (apr_uint32_t)conf->sign_in_limit)
        return 0;
    return slot->since + conf->sign_in_period - now;
}

static void uncount(apr_uint64_t key, apr_time_t now, apr_interval_time_t period, int all)
{
    slot_t *slot = find(key, now, period);

    if (slot)
        slot->count = all ? 0 : slot->count - 1;
}

static apr_status_t hash(apr_uint64_t *out, const char *text)
{
    mdm_bytes_t key = { hash_key, sizeof(hash_key) };
    unsigned char mac[MDM_SHA256_LEN];
    apr_status_t rv = mdm_hmac_sha256(mac, key, mdm_bytes_of(text));

    memcpy(out, mac, sizeof(*out));
    return rv;
}

/* "2001:db8:1:2:3:4:5:6" as its network "2001:db8:1:2"; other addresses as they are. */
static const char *network_of(const char *address, apr_pool_t *p)
{
    unsigned char bytes[16];

    if (!strchr(address, ':') || inet_pton(AF_INET6, address, bytes) != 1)
        return address;
    return mdm_hex_encode((mdm_bytes_t){ bytes, 8 }, p);
}

apr_status_t mdm_rate_register(apr_pool_t *pconf)
{
    return ap_mutex_register(pconf, MUTEX_TYPE, NULL, APR_LOCK_DEFAULT, 0);
}

apr_status_t mdm_rate_create(apr_pool_t *p, server_rec *s)
{
    apr_shm_t *shm;
    apr_status_t rv = apr_shm_create(&shm, sizeof(*table), NULL, p);

    if (rv != APR_SUCCESS || (rv = mdm_random(hash_key, sizeof(hash_key))) != APR_SUCCESS
        || (rv = ap_global_mutex_create(&mutex, NULL, MUTEX_TYPE, NULL, s, p, 0)) != APR_SUCCESS)
        return rv;
    table = apr_shm_baseaddr_get(shm);
    memset(table, 0, sizeof(*table));
    apr_pool_cleanup_register(p, NULL, forget, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

apr_status_t mdm_rate_child_init(apr_pool_t *p)
{
    return mutex ? apr_global_mutex_child_init(&mutex, apr_global_mutex_lockfile(mutex), p) : APR_SUCCESS;
}

apr_status_t mdm_rate_keys(mdm_rate_keys_t *keys, const mdm_conf_t *conf, const char *login,
                           const char *address, apr_pool_t *p)
{
    char *folded = apr_pstrdup(p, login);
    apr_status_t rv;

    /* Directories take a login in any case, with spaces around it. */
    ap_str_tolower(folded);
    apr_collapse_spaces(folded, folded);
    rv = hash(&keys->account, apr_pstrcat(p, "account\n", conf->server_url, "\n", folded, NULL));
    if (rv == APR_SUCCESS)
        rv = hash(&keys->address, apr_pstrcat(p, "address\n", network_of(address, p), NULL));
    return rv;
}

apr_interval_time_t mdm_rate_take(const mdm_conf_t *conf, const mdm_rate_keys_t *keys, apr_time_t now)
{
    apr_interval_time_t account, address;

    /* Without a count there is no limit, so nobody gets in. */
    if (!table || apr_global_mutex_lock(mutex) != APR_SUCCESS)
        return conf->sign_in_period;
    account = wait_of(conf, keys->account, now);
    address = wait_of(conf, keys->address, now);
    if (!account && !address) {
        count(keys->account, now, conf->sign_in_period);
        count(keys->address, now, conf->sign_in_period);
    }
    apr_global_mutex_unlock(mutex);
    return account > address ? account : address;
}

void mdm_rate_give_back(const mdm_conf_t *conf, const mdm_rate_keys_t *keys, apr_time_t now, int granted)
{
    if (!table || apr_global_mutex_lock(mutex) != APR_SUCCESS)
        return;
    uncount(keys->account, now, conf->sign_in_period, granted);
    uncount(keys->address, now, conf->sign_in_period, 0);
    apr_global_mutex_unlock(mutex);
}
