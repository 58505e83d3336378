/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists: made by our code, read by the openssl command line; kept while fresh, replaced when stale or
 * half old, numbered without a gap by threads that ask at once.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_crl.h"
#include "mdm_pki_crl.h"
#include "oracle.h"

#define DAY apr_time_from_sec(86400)
#define OK(call) ck_assert_int_eq(call, APR_SUCCESS)
#define CHILDREN 6

static mdm_ctx_t *ctx;
static mdm_store_t *st;
static mdm_site_t site;

static mdm_authority_t *authority(const char *name, const char *file)
{
    mdm_authority_t *a = apr_pcalloc(ctx->pool, sizeof(*a));
    mdm_key_t *key;
    mdm_cert_t *cert;
    const char *pem;

    OK(mdm_key_generate(&key, ctx, 2048));
    OK(mdm_cert_make_ca(&cert, ctx, key, "Example", name, 0, 3650 * DAY));
    OK(mdm_cert_to_pem(&pem, ctx, cert));
    oracle_write(file, mdm_bytes_of(pem));
    a->cert = cert;
    a->key = key;
    a->fingerprint = mdm_cert_fingerprint(ctx, cert);
    return a;
}

static void start(int loop)
{
    apr_array_header_t *authorities;

    ctx = oracle_start();
    database_start(loop);
    st = database_ready(database_pool());
    authorities = apr_array_make(ctx->pool, 2, sizeof(mdm_authority_t *));
    APR_ARRAY_PUSH(authorities, mdm_authority_t *) = authority("First", "ca.pem");
    APR_ARRAY_PUSH(authorities, mdm_authority_t *) = authority("Second", "next.pem");
    memset(&site, 0, sizeof(site));
    site.authorities = authorities;
    site.crl_lifetime = 7 * DAY;
    st->ctx->fixed_now = apr_time_now();
}

static void end(void)
{
    database_end();
    oracle_end();
}

static const mdm_authority_t *ca(int i)
{
    return APR_ARRAY_IDX(site.authorities, i, const mdm_authority_t *);
}

/* A certificate in the table; its serial number is 5eNN. */
static void add(int number, int issuer)
{
    mdm_certificate_t c = { 0 };

    c.fingerprint = apr_psprintf(ctx->pool, "f-%d", number);
    c.serial = apr_psprintf(ctx->pool, "5e%02d", number);
    c.subject = "CN=x";
    c.pem = "pem";
    c.not_before = st->ctx->fixed_now - DAY;
    c.not_after = st->ctx->fixed_now + 100 * DAY;
    c.issued_at = st->ctx->fixed_now;
    c.issuer = issuer < 0 ? NULL : ca(issuer)->fingerprint;
    OK(mdm_store_certificate_insert(st, &c));
}

/* The list as openssl prints it, after it has checked the signature. */
static const char *shown(mdm_bytes_t der, const char *ca_file)
{
    oracle_write("list.crl", der);
    oracle_has(oracle_run(apr_psprintf(ctx->pool, "openssl crl -inform DER -in list.crl -noout -CAfile %s", ca_file)),
               "verify OK");
    return oracle_run("openssl crl -inform DER -in list.crl -noout -text");
}

static mdm_bytes_t get(int i)
{
    mdm_bytes_t der = { 0 };

    OK(mdm_crl_get(&der, st, &site, ca(i)));
    return der;
}

static int has_number(mdm_bytes_t der, const char *ca_file, int number)
{
    const char *text = strstr(shown(der, ca_file), "CRL Number:");

    ck_assert_ptr_nonnull(text);
    return (int)strtol(text + strlen("CRL Number:"), NULL, 0) == number;
}

START_TEST(a_list_says_what_it_was_given)
{
    static const mdm_crl_entry_t given[] = {
        { "0a", apr_time_from_sec(1700000000), "keyCompromise" },
        { "7f00000000000000000000000000000001", apr_time_from_sec(1700000001), "unspecified" },
        { "4d2", apr_time_from_sec(2600000000), "somebody lost it" },
    };
    mdm_crl_how_t how = { ca(0)->cert, ca(0)->key, 4711, apr_time_from_sec(1700000100),
                          apr_time_from_sec(1700086500), NULL };
    apr_array_header_t *entries = apr_array_make(ctx->pool, 3, sizeof(mdm_crl_entry_t));
    mdm_bytes_t der, again;
    const char *text;
    int i;

    for (i = 0; i < 3; i++)
        APR_ARRAY_PUSH(entries, mdm_crl_entry_t) = given[i];
    how.entries = entries;
    OK(mdm_crl_make(&der, ctx, &how));
    OK(mdm_crl_make(&again, ctx, &how));
    ck_assert_uint_eq(der.len, again.len);
    ck_assert_mem_eq(der.data, again.data, der.len);
    text = shown(der, "ca.pem");
    oracle_has(text, "Version 2 (0x1)");
    oracle_has(text, "sha256WithRSAEncryption");
    oracle_has(text, "Last Update: Nov 14 22:15:00 2023 GMT");
    oracle_has(text, "Next Update: Nov 15 22:15:00 2023 GMT");
    oracle_has(text, "4711");
    oracle_has(text, "X509v3 Authority Key Identifier");
    oracle_has(text, "Serial Number: 0A\n        Revocation Date: Nov 14 22:13:20 2023 GMT\n        CRL entry "
               "extensions:\n            X509v3 CRL Reason Code: \n                Key Compromise");
    oracle_has(text, "Serial Number: 7F00000000000000000000000000000001");
    oracle_has(text, "Serial Number: 04D2\n        Revocation Date: May 22 ");
    ck_assert_int_eq(oracle_count(text, "Reason Code"), 1);
    how.ca_key = ca(1)->key;
    OK(mdm_crl_make(&der, ctx, &how));
    oracle_write("list.crl", der);
    oracle_has(oracle_run("openssl crl -inform DER -in list.crl -noout -CAfile ca.pem || true"), "verify failure");
}
END_TEST

START_TEST(an_entry_that_is_no_number_makes_no_list)
{
    static const char *const serials[] = { "", "xyz", "12 34", "-", "-5" };
    apr_array_header_t *entries = apr_array_make(ctx->pool, 1, sizeof(mdm_crl_entry_t));
    mdm_crl_how_t how = { ca(0)->cert, ca(0)->key, 1, DAY, 2 * DAY, entries };
    mdm_bytes_t der;
    size_t i;

    (void)apr_array_push(entries);
    for (i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
        APR_ARRAY_IDX(entries, 0, mdm_crl_entry_t).serial = serials[i];
        ck_assert_int_eq(mdm_crl_make(&der, ctx, &how), MDM_ECRYPTO);
    }
}
END_TEST

START_TEST(reasons_are_those_of_rfc_5280)
{
    static const struct {
        const char *name;
        int code;
    } known[] = {
        { "unspecified", 0 }, { "keyCompromise", 1 }, { "cACompromise", 2 }, { "affiliationChanged", 3 },
        { "superseded", 4 }, { "cessationOfOperation", 5 }, { "certificateHold", -1 }, { "removeFromCRL", -1 },
        { "privilegeWithdrawn", 9 }, { "aACompromise", 10 }, { "KeyCompromise", -1 }, { "", -1 }, { NULL, -1 },
    };
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        ck_assert_int_eq(mdm_crl_reason(known[i].name), known[i].code);
}
END_TEST

START_TEST(a_fresh_list_costs_one_statement)
{
    mdm_bytes_t first, second;
    int statements, signatures;

    start(_i);
    first = get(0);
    ck_assert(has_number(first, "ca.pem", 1));
    statements = mdm_db_statements(st->db);
    signatures = st->ctx->rsa_operations;
    second = get(0);
    ck_assert_int_eq(mdm_db_statements(st->db) - statements, 1);
    ck_assert_int_eq(st->ctx->rsa_operations, signatures);
    ck_assert_uint_eq(first.len, second.len);
    ck_assert_mem_eq(first.data, second.data, first.len);
    ck_assert(has_number(get(1), "next.pem", 1));
    end();
}
END_TEST

START_TEST(revoking_makes_the_list_stale)
{
    const char *text;

    start(_i);
    add(1, 0);
    add(2, 1);
    add(3, -1);
    ck_assert(has_number(get(0), "ca.pem", 1));
    OK(mdm_crl_revoke(st, "5E:01", "keyCompromise", "root", NULL));
    ck_assert(has_number(get(0), "ca.pem", 2));
    ck_assert(has_number(get(0), "ca.pem", 2));
    OK(mdm_crl_revoke(st, "5e02", NULL, "root", NULL));
    OK(mdm_crl_revoke(st, "5e03", "superseded", "root", NULL));
    text = shown(get(0), "ca.pem");
    ck_assert_int_eq(oracle_count(text, "Serial Number: "), 2);
    oracle_has(text, "Serial Number: 5E01");
    oracle_has(text, "Serial Number: 5E03");
    text = shown(get(1), "next.pem");
    ck_assert_int_eq(oracle_count(text, "Serial Number: "), 1);
    oracle_has(text, "Serial Number: 5E02");
    ck_assert_int_eq(mdm_crl_revoke(st, "5e01", NULL, "root", NULL), MDM_EEXIST);
    mdm_ctx_clear(st->ctx);
    ck_assert_int_eq(mdm_crl_revoke(st, "5e99", NULL, "root", NULL), MDM_ENOTFOUND);
    mdm_ctx_clear(st->ctx);
    ck_assert_int_eq(mdm_crl_revoke(st, "5e01", "lost", "root", NULL), MDM_EINPUT);
    ck_assert_ptr_nonnull(strstr(st->ctx->detail, "privilegeWithdrawn"));
    ck_assert_str_eq(database_sql("SELECT actor, object, detail FROM mdm_event ORDER BY id;"),
                     "root|5e01|keyCompromise\nroot|5e02|unspecified\nroot|5e03|superseded");
    end();
}
END_TEST

START_TEST(half_a_life_later_it_is_signed_anew)
{
    start(_i);
    ck_assert(has_number(get(0), "ca.pem", 1));
    st->ctx->fixed_now += site.crl_lifetime / 2 - apr_time_from_sec(2);
    ck_assert(has_number(get(0), "ca.pem", 1));
    st->ctx->fixed_now += apr_time_from_sec(2);
    ck_assert(has_number(get(0), "ca.pem", 2));
    st->ctx->fixed_now += 100 * site.crl_lifetime;
    ck_assert(has_number(get(0), "ca.pem", 3));
    end();
}
END_TEST

START_TEST(a_list_from_a_clock_that_was_ahead_is_replaced)
{
    apr_time_t now;
    mdm_crl_row_t *row;

    start(_i);
    now = st->ctx->fixed_now;
    st->ctx->fixed_now = now + 365 * DAY;
    ck_assert(has_number(get(0), "ca.pem", 1));
    st->ctx->fixed_now = now;
    OK(mdm_crl_get_row(&row, st, &site, ca(0)));
    ck_assert_int_eq(row->number, 2);
    ck_assert_int_le(row->this_update, now);
    /* the clocks of two nodes are never quite the same */
    st->ctx->fixed_now = now - apr_time_from_sec(60);
    OK(mdm_crl_get_row(&row, st, &site, ca(0)));
    ck_assert_int_eq(row->number, 2);
    end();
}
END_TEST

START_TEST(an_expired_certificate_is_on_one_more_list)
{
    start(_i);
    add(1, 0);
    OK(mdm_crl_revoke(st, "5e01", NULL, "root", NULL));
    oracle_has(shown(get(0), "ca.pem"), "Serial Number: 5E01");
    st->ctx->fixed_now += 101 * DAY;
    oracle_has(shown(get(0), "ca.pem"), "Serial Number: 5E01");
    st->ctx->fixed_now += 7 * DAY;
    ck_assert_int_eq(oracle_count(shown(get(0), "ca.pem"), "Serial Number: "), 0);
    end();
}
END_TEST

/* Children with connections of their own; each says whether it got a list. */
static int ask_in_child(void)
{
    apr_pool_t *p;
    mdm_store_t *own;
    mdm_bytes_t der;

    apr_pool_create(&p, NULL);
    own = database_open(p);
    own->ctx->fixed_now = st->ctx->fixed_now;
    return mdm_crl_get(&der, own, &site, ca(0)) == APR_SUCCESS && der.len ? 0 : 1;
}

static void ask_at_once(void)
{
    pid_t children[CHILDREN];
    int i, status;

    for (i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        ck_assert_int_ge(children[i], 0);
        if (!children[i])
            _exit(ask_in_child());
    }
    for (i = 0; i < CHILDREN; i++) {
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
}

START_TEST(nodes_that_ask_at_once_share_a_number)
{
    start(_i);
    ask_at_once();
    ck_assert_str_eq(database_sql("SELECT number, stale FROM mdm_crl WHERE issuer <> '';"), "1|0");
    add(1, 0);
    OK(mdm_crl_revoke(st, "5e01", NULL, "root", NULL));
    ask_at_once();
    ck_assert_str_eq(database_sql("SELECT number, stale FROM mdm_crl WHERE issuer <> '';"), "2|0");
    ck_assert(has_number(get(0), "ca.pem", 2));
    end();
}
END_TEST

typedef struct {
    int go[2], waits;
} revoking_t;

static int ask_when_told(const revoking_t *r)
{
    char byte;

    return read(r->go[0], &byte, 1) == 1 ? ask_in_child() : 2;
}

static apr_status_t revoke_slowly(void *baton, mdm_db_t *db)
{
    const revoking_t *r = baton;
    apr_time_t end = apr_time_now() + apr_time_from_sec(20);

    (void)db;
    OK(mdm_store_certificate_revoke(st, "5e01", "superseded"));
    OK(mdm_store_crl_stale(st));
    ck_assert_int_eq(write(r->go[1], "", 1), 1);
    while (r->waits && !strcmp(database_sql("SELECT COUNT(*) FROM pg_locks WHERE NOT granted;"), "0"))
        ck_assert_int_lt(apr_time_now(), end);
    return APR_SUCCESS;
}

/* The very first list is asked for while somebody revokes: it waits for him. */
START_TEST(the_first_list_misses_no_revocation)
{
    revoking_t r;
    pid_t child;
    int status;

    start(_i);
    add(1, 0);
    r.waits = _i;
    ck_assert_int_eq(pipe(r.go), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (!child)
        _exit(ask_when_told(&r));
    OK(mdm_db_transact(st->db, revoke_slowly, &r));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    oracle_has(shown(get(0), "ca.pem"), "Serial Number: 5E01");
    ck_assert_str_eq(database_sql("SELECT number FROM mdm_crl WHERE issuer <> '';"), "1");
    end();
}
END_TEST

START_TEST(an_enrollment_ends_with_all_it_has)
{
    mdm_crl_cause_t cause = { 7, "DEVICE", "anna", "192.0.2.1" };
    int statements;

    start(_i);
    add(1, 0);
    add(2, 0);
    add(3, 0);
    OK(mdm_store_certificate_bind(st, "f-1", 7));
    OK(mdm_store_certificate_bind(st, "f-2", 7));
    get(0);
    OK(mdm_crl_supersede(st, &cause, "f-2"));
    ck_assert_str_eq(database_sql("SELECT stale FROM mdm_crl WHERE issuer <> '';"), "1");
    statements = mdm_db_statements(st->db);
    OK(mdm_crl_supersede(st, &cause, "f-2"));
    ck_assert_int_eq(mdm_db_statements(st->db) - statements, 1);
    OK(mdm_crl_revoke_enrollment(st, &cause, "cessationOfOperation"));
    OK(mdm_crl_revoke_enrollment(st, &cause, "cessationOfOperation"));
    ck_assert_str_eq(database_sql("SELECT fingerprint, revoked_reason FROM mdm_certificate WHERE revoked_at > 0 "
                                  "ORDER BY fingerprint;"), "f-1|superseded\nf-2|cessationOfOperation");
    ck_assert_str_eq(database_sql("SELECT kind, actor, source_ip, enrollment_id, detail FROM mdm_event ORDER BY id;"),
                     "certificate.revoked|anna|192.0.2.1|DEVICE|superseded (certificates: 1)\n"
                     "certificate.revoked|anna|192.0.2.1|DEVICE|cessationOfOperation (certificates: 1)");
    end();
}
END_TEST

static void start_plain(void)
{
    start(0);
}

int main(int argc, char **argv)
{
    Suite *suite = suite_create("crl");
    TCase *plain = tcase_create("plain"), *stored = tcase_create("stored");

    (void)argc;
    tcase_set_timeout(plain, 60);
    tcase_add_checked_fixture(plain, start_plain, end);
    tcase_add_test(plain, a_list_says_what_it_was_given);
    tcase_add_test(plain, an_entry_that_is_no_number_makes_no_list);
    tcase_add_test(plain, reasons_are_those_of_rfc_5280);
    suite_add_tcase(suite, plain);
    tcase_set_timeout(stored, 60);
    tcase_add_loop_test(stored, a_fresh_list_costs_one_statement, 0, DATABASES);
    tcase_add_loop_test(stored, revoking_makes_the_list_stale, 0, DATABASES);
    tcase_add_loop_test(stored, half_a_life_later_it_is_signed_anew, 0, DATABASES);
    tcase_add_loop_test(stored, a_list_from_a_clock_that_was_ahead_is_replaced, 0, DATABASES);
    tcase_add_loop_test(stored, an_expired_certificate_is_on_one_more_list, 0, DATABASES);
    tcase_add_loop_test(stored, nodes_that_ask_at_once_share_a_number, 0, DATABASES);
    tcase_add_loop_test(stored, the_first_list_misses_no_revocation, 0, DATABASES);
    tcase_add_loop_test(stored, an_enrollment_ends_with_all_it_has, 0, DATABASES);
    suite_add_tcase(suite, stored);
    return database_main(suite, argv);
}
