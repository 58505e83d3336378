/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The property lists of the fuzz corpus, good and bad by their names: the right verdict, nothing on stderr,
 * no file or network, no block of libxml2 left over, not even when any one of its allocations fails.
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include "mdm_plist.h"

static apr_pool_t *pool;
static mdm_ctx_t *ctx;

/* libxml2's memory: blocks in use, and the allocation that is to fail (0: none). It keeps the last error of
 * each thread, so that is reset before blocks are compared. */
static long blocks, allocations, fail_at;
static int loads;

static int failing(void)
{
    return ++allocations == fail_at;
}

static void *counted_malloc(size_t size)
{
    void *block = failing() ? NULL : malloc(size);

    blocks += block != NULL;
    return block;
}

static void *counted_realloc(void *old, size_t size)
{
    void *block = failing() ? NULL : realloc(old, size);

    blocks += block != NULL && !old;
    return block;
}

static void counted_free(void *block)
{
    blocks -= block != NULL;
    free(block);
}

static char *counted_strdup(const char *text)
{
    char *copy = counted_malloc(strlen(text) + 1);

    return copy ? strcpy(copy, text) : NULL;
}

static xmlParserInputPtr no_load(const char *url, const char *id, xmlParserCtxtPtr parser)
{
    (void)url;
    (void)id;
    (void)parser;
    loads++;
    return NULL;
}

/* libxml2 tells of its own lack of memory through this, whatever a parser's handlers are. */
static void no_message(void *baton, const char *fmt, ...)
{
    (void)baton;
    (void)fmt;
}

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    ctx = mdm_ctx_create(pool, NULL);
    xmlMemSetup(counted_free, counted_malloc, counted_realloc, counted_strdup);
    mdm_plist_init();
    xmlSetExternalEntityLoader(no_load);
}

static void teardown(void)
{
    ck_assert_int_eq(loads, 0);
    apr_pool_destroy(pool);
}

static mdm_bytes_t read_file(const char *path)
{
    char *data = apr_palloc(pool, 1 << 20);
    mdm_bytes_t bytes = { (unsigned char *)data, 0 };
    FILE *file = fopen(path, "rb");

    ck_assert_msg(file != NULL, "%s", path);
    bytes.len = fread(data, 1, (1 << 20) - 1, file);
    data[bytes.len] = '\0';
    fclose(file);
    return bytes;
}

static const char *corpus_folder(void)
{
    const char *corpus = getenv("MDM_FUZZ_CORPUS");

    return apr_pstrcat(pool, corpus ? corpus : "t/fuzz/corpus", "/plist", NULL);
}

/* Call `use` for each seed; @return how many there are. */
static int each_seed(void (*use)(const char *name, mdm_bytes_t text))
{
    DIR *dir = opendir(corpus_folder());
    struct dirent *entry;
    int count = 0;

    ck_assert_msg(dir != NULL, "%s", corpus_folder());
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        use(entry->d_name, read_file(apr_pstrcat(pool, corpus_folder(), "/", entry->d_name, NULL)));
        count++;
    }
    closedir(dir);
    return count;
}

static void judge_seed(const char *name, mdm_bytes_t text)
{
    long before = blocks;
    mdm_plist_t *root;
    apr_status_t rv;

    mdm_ctx_clear(ctx);
    rv = mdm_plist_read(&root, ctx, text);
    ck_assert_msg(rv == (strncmp(name, "good-", 5) ? MDM_EPLIST : APR_SUCCESS), "%s: %s", name,
                  mdm_ctx_detail(ctx, rv));
    xmlResetLastError();
    ck_assert_msg(blocks == before, "%s: %ld blocks of libxml2 are lost", name, blocks - before);
}

START_TEST(judges_the_corpus_silently)
{
    FILE *quiet = tmpfile();
    int saved = dup(STDERR_FILENO), count;

    ck_assert_ptr_nonnull(quiet);
    dup2(fileno(quiet), STDERR_FILENO);
    count = each_seed(judge_seed);
    dup2(saved, STDERR_FILENO);
    ck_assert_int_ge(count, 40);
    ck_assert_int_eq(lseek(fileno(quiet), 0, SEEK_END), 0);
    fclose(quiet);
}
END_TEST

/* Let each allocation of libxml2 fail in turn: no crash, no lost block, no tree from half a document. */
static void starve_seed(const char *name, mdm_bytes_t text)
{
    long n;

    for (n = 1; n < 2000; n++) {
        long before = blocks;
        mdm_plist_t *root;
        apr_status_t rv;

        mdm_ctx_clear(ctx);
        allocations = 0;
        fail_at = n;
        rv = mdm_plist_read(&root, ctx, text);
        fail_at = 0;
        xmlResetLastError();
        ck_assert_msg(blocks == before, "%s: allocation %ld: %ld blocks are lost", name, n, blocks - before);
        if (allocations < n)
            return;
        ck_assert_msg(rv != APR_SUCCESS || !strncmp(name, "good-", 5), "%s: allocation %ld", name, n);
    }
}

START_TEST(survives_lack_of_memory)
{
    xmlSetGenericErrorFunc(NULL, no_message);
    each_seed(starve_seed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plist_corpus");
    TCase *group = tcase_create("corpus");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(group, setup, teardown);
    tcase_set_timeout(group, 300);
    tcase_add_test(group, judges_the_corpus_silently);
    tcase_add_test(group, survives_lack_of_memory);
    suite_add_tcase(suite, group);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
