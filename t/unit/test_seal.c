/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secret files and sealed values: what is created and how, what is refused, that nothing opens in another
 * place or under another key, and that no secret stays behind in memory. A sealed value is opened by
 * Python's cryptography, too, and one that Python sealed by us.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <sys/syscall.h>

#include "mdm_file.h"
#include "mdm_seal.h"

static apr_pool_t *pool;
static mdm_ctx_t *ctx;
static char folder[] = "/tmp/seal-test-XXXXXX";
static int synced_files, synced_folders;

/* Watches what is made durable. */
int fsync(int fd)
{
    struct stat st;

    if (fstat(fd, &st) == 0) {
        synced_files += S_ISREG(st.st_mode);
        synced_folders += S_ISDIR(st.st_mode);
    }
    return (int)syscall(SYS_fsync, fd);
}

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    ctx = mdm_ctx_create(pool, NULL);
    strcpy(folder, "/tmp/seal-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
    ck_assert_int_eq(system(apr_pstrcat(pool, "rm -r ", folder, NULL)), 0);
    apr_pool_destroy(pool);
}

static const char *in_folder(const char *name)
{
    return apr_pstrcat(pool, folder, "/", name, NULL);
}

static const char *make_file(const char *name, const char *text, mode_t mode)
{
    const char *path = in_folder(name);
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    ck_assert_int_eq(chmod(path, mode), 0);
    return path;
}

static void refused(apr_status_t rv, apr_status_t expected, const char *words)
{
    ck_assert_int_eq(rv, expected);
    ck_assert_msg(ctx->detail && strstr(ctx->detail, words), "\"%s\" lacks \"%s\"", ctx->detail, words);
    mdm_ctx_clear(ctx);
}

static mdm_seal_t *make_seal(const char *name)
{
    mdm_seal_t *seal = NULL;

    ck_assert_int_eq(mdm_seal_create(ctx, in_folder(name)), APR_SUCCESS);
    ck_assert_int_eq(mdm_seal_read(&seal, ctx, in_folder(name)), APR_SUCCESS);
    return seal;
}

static int files_in_folder(void)
{
    FILE *list = popen(apr_pstrcat(pool, "ls -A ", folder, " | wc -l", NULL), "r");
    int count = -1;

    ck_assert_int_eq(fscanf(list, "%d", &count), 1);
    pclose(list);
    return count;
}

START_TEST(creates_files)
{
    const char *secret = in_folder("secret"), *plain = in_folder("plain");
    struct stat st;
    mdm_bytes_t back;

    umask(022);
    ck_assert_int_eq(mdm_file_create(ctx, secret, mdm_bytes_of("abc"), 1), APR_SUCCESS);
    ck_assert_int_eq(mdm_file_create(ctx, plain, mdm_bytes_of(""), 0), APR_SUCCESS);
    ck_assert_int_eq(stat(secret, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(stat(plain, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0644);
    ck_assert_int_eq(mdm_file_read_secret(&back, ctx, secret), APR_SUCCESS);
    ck_assert_str_eq((const char *)back.data, "abc");
    ck_assert_uint_eq(back.len, 3);
    refused(mdm_file_create(ctx, secret, mdm_bytes_of("other"), 1), MDM_EEXIST, "never replaced");
    ck_assert_int_eq(mdm_file_read_secret(&back, ctx, secret), APR_SUCCESS);
    ck_assert_str_eq((const char *)back.data, "abc");
    refused(mdm_file_create(ctx, in_folder("no/where"), mdm_bytes_of("a"), 1), MDM_ECONFIG, "no/where");
    ck_assert_int_eq(files_in_folder(), 2);
}
END_TEST

START_TEST(created_files_are_durable)
{
    ck_assert_int_eq(mdm_file_create(ctx, in_folder("a"), mdm_bytes_of("abc"), 1), APR_SUCCESS);
    ck_assert_int_ge(synced_files, 1);
    ck_assert_int_ge(synced_folders, 1);
    ck_assert_int_eq(chdir(folder), 0);
    synced_folders = 0;
    ck_assert_int_eq(mdm_file_create(ctx, "b", mdm_bytes_of("abc"), 1), APR_SUCCESS);
    ck_assert_int_ge(synced_folders, 1);
}
END_TEST

START_TEST(leftovers_of_a_crash_do_not_block)
{
    make_file(apr_psprintf(pool, "key.%ld.new", (long)getpid()), "half", 0600);
    make_file("key.new", "half", 0600);
    ck_assert_int_eq(mdm_file_create(ctx, in_folder("key"), mdm_bytes_of("abc"), 1), APR_SUCCESS);
}
END_TEST

START_TEST(refuses_open_secrets)
{
    mdm_bytes_t bytes;
    static const mode_t open_modes[] = { 0640, 0620, 0604, 0602, 0610, 0644, 0777 };
    apr_size_t i;

    for (i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++)
        refused(mdm_file_read_secret(&bytes, ctx, make_file("open", "abc", open_modes[i])), MDM_ECONFIG,
                "chmod 600");
    ck_assert_int_eq(mdm_file_check_secret(ctx, make_file("shut", "abc", 0400)), APR_SUCCESS);
    refused(mdm_file_check_secret(ctx, in_folder("missing")), MDM_ECONFIG, "missing");
    refused(mdm_file_check_secret(ctx, folder), MDM_ECONFIG, "regular");
    ck_assert_int_eq(mkfifo(in_folder("pipe"), 0600), 0);
    refused(mdm_file_read_secret(&bytes, ctx, in_folder("pipe")), MDM_ECONFIG, "regular");
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(make_file("foreign", "abc", 0600), 12345, 0), 0);
        refused(mdm_file_read_secret(&bytes, ctx, in_folder("foreign")), MDM_ECONFIG, "12345");
    }
}
END_TEST

START_TEST(reads_up_to_a_limit)
{
    const char *path = make_file("ten", "0123456789", 0644);
    mdm_bytes_t bytes;

    ck_assert_int_eq(mdm_file_read(&bytes, ctx, path, 10), APR_SUCCESS);
    ck_assert_uint_eq(bytes.len, 10);
    ck_assert_str_eq((const char *)bytes.data, "0123456789");
    refused(mdm_file_read(&bytes, ctx, path, 9), MDM_ECONFIG, "larger than 9");
    refused(mdm_file_read(&bytes, ctx, folder, 9), MDM_ECONFIG, folder);
    refused(mdm_file_read(&bytes, ctx, in_folder("missing"), 9), MDM_ECONFIG, "missing");
    ck_assert_int_eq(mdm_file_read(&bytes, ctx, make_file("none", "", 0644), 9), APR_SUCCESS);
    ck_assert_uint_eq(bytes.len, 0);
}
END_TEST

START_TEST(refuses_wrong_keys)
{
    static const char hex[] = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
    mdm_seal_t *seal = NULL;

    refused(mdm_seal_read(&seal, ctx, in_folder("missing")), MDM_ECONFIG, "missing");
    refused(mdm_seal_read(&seal, ctx, make_file("a", "", 0600)), MDM_ECONFIG, "not a sealing key");
    refused(mdm_seal_read(&seal, ctx, make_file("b", hex + 1, 0600)), MDM_ECONFIG, "not a sealing key");
    refused(mdm_seal_read(&seal, ctx, make_file("c", apr_pstrcat(pool, hex, "0", NULL), 0600)), MDM_ECONFIG,
            "not");
    refused(mdm_seal_read(&seal, ctx, make_file("d", apr_pstrcat(pool, "g", hex + 1, NULL), 0600)),
            MDM_ECONFIG, "no");
    refused(mdm_seal_read(&seal, ctx, make_file("e", hex, 0640)), MDM_ECONFIG, "chmod");
    ck_assert_ptr_null(seal);
    ck_assert_int_eq(mdm_seal_read(&seal, ctx, make_file("f", hex, 0600)), APR_SUCCESS);
    ck_assert_int_eq(mdm_seal_read(&seal, ctx, make_file("g", apr_pstrcat(pool, hex, "\r\n", NULL), 0600)),
                     0);
    refused(mdm_seal_create(ctx, in_folder("g")), MDM_EEXIST, "never replaced");
}
END_TEST

START_TEST(opens_what_it_sealed)
{
    mdm_seal_t *seal = make_seal("key");
    unsigned char data[1000];
    mdm_bytes_t plain = { data, 0 }, back;
    const char *sealed, *again;

    ck_assert_int_eq(mdm_random(data, sizeof(data)), APR_SUCCESS);
    for (plain.len = 0; plain.len < sizeof(data); plain.len += 37) {
        ck_assert_int_eq(mdm_seal(&sealed, ctx, seal, plain, "token:1"), APR_SUCCESS);
        ck_assert_int_eq(mdm_unseal(&back, ctx, seal, sealed, "token:1"), APR_SUCCESS);
        ck_assert_uint_eq(back.len, plain.len);
        ck_assert(memcmp(back.data, data, back.len) == 0);
        ck_assert_int_eq(back.data[back.len], 0);
    }
    ck_assert_int_eq(mdm_seal(&again, ctx, seal, plain, "token:1"), APR_SUCCESS);
    ck_assert_int_eq(mdm_seal(&sealed, ctx, seal, plain, "token:1"), APR_SUCCESS);
    ck_assert_str_ne(again, sealed);
    ck_assert_int_eq(mdm_seal(&sealed, ctx, seal, plain, ""), APR_SUCCESS);
    ck_assert_int_eq(mdm_unseal(&back, ctx, seal, sealed, ""), APR_SUCCESS);
}
END_TEST

START_TEST(opens_nothing_else)
{
    mdm_seal_t *seal = make_seal("key"), *other = make_seal("other");
    mdm_bytes_t back = { NULL, 0 };
    const char *sealed;
    char *changed;
    apr_size_t i;

    /* five letters, so that base64 has no padding and each of its bits counts */
    ck_assert_int_eq(mdm_seal(&sealed, ctx, seal, mdm_bytes_of("texts"), "token:1"), APR_SUCCESS);
    refused(mdm_unseal(&back, ctx, seal, sealed, "token:2"), MDM_ECRYPTO, "does not open");
    refused(mdm_unseal(&back, ctx, other, sealed, "token:1"), MDM_ECRYPTO, "restore that key");
    refused(mdm_unseal(&back, ctx, seal, NULL, "token:1"), MDM_ECRYPTO, "not a sealed value");
    refused(mdm_unseal(&back, ctx, seal, "", "token:1"), MDM_ECRYPTO, "not a sealed value");
    refused(mdm_unseal(&back, ctx, seal, "secret", "token:1"), MDM_ECRYPTO, "not a sealed value");
    refused(mdm_unseal(&back, ctx, seal, apr_pstrmemdup(pool, sealed, 11), "token:1"), MDM_ECRYPTO,
            "damaged");
    for (i = 0; sealed[i]; i++) {
        changed = apr_pstrdup(pool, sealed);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        ck_assert_int_eq(mdm_unseal(&back, ctx, seal, changed, "token:1"), MDM_ECRYPTO);
        changed[i] = '\0';
        ck_assert_int_eq(mdm_unseal(&back, ctx, seal, changed, "token:1"), MDM_ECRYPTO);
    }
    ck_assert_ptr_null(back.data);
}
END_TEST

/* Whether the memory the pool gave out between two marks holds these bytes. */
static int holds(const char *from, const char *to, const char *secret)
{
    apr_size_t len = strlen(secret);

    ck_assert_msg(from < to, "the marks are not in one block");
    for (; from + len <= to; from++) {
        if (memcmp(from, secret, len) == 0)
            return 1;
    }
    return 0;
}

START_TEST(leaves_no_key_behind)
{
    const char *path = in_folder("key");
    char *from, *to, hex[65] = "";
    apr_pool_t *own;
    FILE *file;

    apr_pool_create(&own, pool);
    ctx = mdm_ctx_create(own, NULL);
    from = apr_palloc(own, 8);
    ck_assert_int_eq(mdm_seal_create(ctx, path), APR_SUCCESS);
    to = apr_palloc(own, 8);
    file = fopen(path, "r");
    ck_assert_uint_eq(fread(hex, 1, 64, file), 64);
    fclose(file);
    ck_assert_int_eq(holds(from, to, hex), 0);
}
END_TEST

START_TEST(leaves_no_forged_text_behind)
{
    mdm_seal_t *seal = make_seal("key");
    const char *sealed;
    char *from, *to;
    mdm_bytes_t back;
    apr_pool_t *own;

    ck_assert_int_eq(mdm_seal(&sealed, ctx, seal, mdm_bytes_of("a text to be sealed"), "token:1"),
                     APR_SUCCESS);
    apr_pool_create(&own, pool);
    ctx = mdm_ctx_create(own, NULL);
    from = apr_palloc(own, 8);
    ck_assert_int_eq(mdm_unseal(&back, ctx, seal, sealed, "token:2"), MDM_ECRYPTO);
    to = apr_palloc(own, 8);
    ck_assert_int_eq(holds(from, to, "a text to be sealed"), 0);
}
END_TEST

static int python(const char *program)
{
    const char *interpreter = getenv("MDM_PYTHON"), *script = make_file("program.py", program, 0600);

    return system(apr_pstrcat(pool, interpreter ? interpreter : "python3", " ", script, " ", folder, NULL));
}

START_TEST(agrees_with_another_implementation)
{
    static const char program[] =
        "import base64, hashlib, hmac, os, sys\n"
        "from cryptography.hazmat.primitives.ciphers.aead import AESGCM\n"
        "os.chdir(sys.argv[1])\n"
        "key = bytes.fromhex(open('key').read())\n"
        "version, name, body = open('sealed').read().split(':')\n"
        "body = base64.b64decode(body, validate=True)\n"
        "assert version == '1' and name == hashlib.sha256(key).hexdigest()[:8]\n"
        "assert AESGCM(key).decrypt(body[:12], body[12:], b'token:1') == b'secret'\n"
        "nonce = os.urandom(12)\n"
        "body = nonce + AESGCM(key).encrypt(nonce, b'theirs', b'token:2')\n"
        "open('theirs', 'w').write('1:%s:%s' % (name, base64.b64encode(body).decode()))\n"
        "assert open('mac').read() == hmac.digest(key, b'data', 'sha256').hex()\n";
    mdm_seal_t *seal = make_seal("key");
    unsigned char mac[MDM_SHA256_LEN];
    mdm_bytes_t back, bytes = { mac, sizeof(mac) };
    const char *sealed;

    ck_assert_int_eq(mdm_seal(&sealed, ctx, seal, mdm_bytes_of("secret"), "token:1"), APR_SUCCESS);
    ck_assert_int_eq(mdm_seal_mac(mac, seal, mdm_bytes_of("data")), APR_SUCCESS);
    make_file("sealed", sealed, 0600);
    make_file("mac", mdm_hex_encode(bytes, pool), 0600);
    ck_assert_int_eq(python(program), 0);
    ck_assert_int_eq(mdm_file_read(&back, ctx, in_folder("theirs"), 1000), APR_SUCCESS);
    ck_assert_int_eq(mdm_unseal(&back, ctx, seal, (const char *)back.data, "token:2"), APR_SUCCESS);
    ck_assert_str_eq((const char *)back.data, "theirs");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("seal");
    TCase *group = tcase_create("seal");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(group, setup, teardown);
    tcase_set_timeout(group, 60);
    tcase_add_test(group, creates_files);
    tcase_add_test(group, created_files_are_durable);
    tcase_add_test(group, leftovers_of_a_crash_do_not_block);
    tcase_add_test(group, refuses_open_secrets);
    tcase_add_test(group, reads_up_to_a_limit);
    tcase_add_test(group, refuses_wrong_keys);
    tcase_add_test(group, opens_what_it_sealed);
    tcase_add_test(group, opens_nothing_else);
    tcase_add_test(group, leaves_no_key_behind);
    tcase_add_test(group, leaves_no_forged_text_behind);
    tcase_add_test(group, agrees_with_another_implementation);
    suite_add_tcase(suite, group);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
