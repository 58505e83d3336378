/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of comma-separated values: what RFC 4180 allows is read, everything else is refused with its line, and nothing
 * of a refused file is stored.
 */
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_person_csv.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")

static mdm_store_t *st;
static const mdm_person_by_t by = { "csv", "admin", NULL };

static void start(int loop)
{
    database_start(loop);
    st = database_ready(database_pool());
}

static void import(const char *file, int made, int changed, int unchanged)
{
    mdm_person_csv_report_t report;

    OK(mdm_person_csv_import(&report, st, mdm_bytes_of(file), &by));
    ck_assert_int_eq(report.made, made);
    ck_assert_int_eq(report.changed, changed);
    ck_assert_int_eq(report.unchanged, unchanged);
}

START_TEST(quotes_line_ends_and_marks_are_read)
{
    start(_i);
    import("\xef\xbb\xbflogin,Display_Name,\"title\",Mail,disabled\r\n"
           "anna,\"Ann \"\"A\"\" A, Dr.\",Nurse,a@example.com,no\r\n"
           "\r\n"
           "\"bert\",Bert,\"\",b@example.com,YES", 2, 0, 0);
    ck_assert_str_eq(database_sql("SELECT login, display_name, email, attributes, source, disabled FROM mdm_user "
                                  "ORDER BY login;"),
                     "anna|Ann \"A\" A, Dr.|a@example.com|{\"title\":\"Nurse\"}|csv|0\n"
                     "bert|Bert|b@example.com|{}|csv|1");
    database_end();
}
END_TEST

START_TEST(a_file_changes_what_it_names)
{
    start(_i);
    import("login,title,floor,disabled\nanna,Nurse,3,\nbert,Doctor,2,1\n", 2, 0, 0);
    import("title,login,disabled\nNurse,anna,\n,bert,\nPorter,carl,\n", 1, 1, 1);
    ck_assert_str_eq(database_sql("SELECT login, attributes, disabled FROM mdm_user ORDER BY login;"),
                     "anna|{\"floor\":\"3\",\"title\":\"Nurse\"}|0\nbert|{\"floor\":\"2\"}|1\n"
                     "carl|{\"title\":\"Porter\"}|0");
    import("login\nanna\n", 0, 0, 1);
    import("login,title\n", 0, 0, 0);
    database_end();
}
END_TEST

static void refused_bytes(mdm_bytes_t file, const char *text)
{
    mdm_person_csv_report_t report;

    mdm_ctx_clear(st->ctx);
    ck_assert_msg(mdm_person_csv_import(&report, st, file, &by) != APR_SUCCESS, "not refused: %s", text);
    ck_assert_msg(strstr(st->ctx->detail, text) != NULL, "%s: %s", text, st->ctx->detail);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_user;"), "0");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_event;"), "0");
}

static void refused(const char *file, const char *text)
{
    refused_bytes(mdm_bytes_of(file), text);
}

START_TEST(hostile_files_are_refused_with_their_line)
{
    static const unsigned char nul[] = "login\nanna\0x\n";

    start(_i);
    refused("", "the file is empty");
    refused("\xef\xbb\xbf\n\n", "the file is empty");
    refused("name\nanna\n", "line 1: there is no column login");
    refused("login;title\nanna;x\n", "line 1: fields are parted by commas");
    refused("login,title,title\nanna,x,y\n", "line 1: the column title is there twice");
    refused("login,mail,email\nanna,x,y\n", "line 1: the column email is there twice");
    refused("login,Login\nanna,x\n", "line 1: the column login is there twice");
    refused("login,job title\nanna,x\n", "line 1: column 2: 'job title' cannot be the name");
    refused("login,\nanna,x\n", "line 1: column 2: '' cannot be the name");
    refused("login,source\nanna,x\n", "line 1: column 2: 'source' cannot be the name");
    refused("login,title\nanna,x\nbert\n", "line 3: 1 fields, and the first line names 2 columns");
    refused("login,title\nanna,x,y\n", "line 2: 3 fields");
    refused("login,title\nanna,x\n\n,y\n", "line 4: the login is empty");
    refused("login,title\nanna,x\nbert,\"a\nb\"\n", "line 3: user \"bert\": title must be UTF-8 text without control");
    refused("login,title\n\"anna\",\"a\nb\n", "line 2: a quote is not closed");
    refused("login,title\nanna,x\"y\n", "line 2: a quote within a field");
    refused("login,title\nanna,\"x\"y\n", "line 2: text behind a closing quote");
    refused("login,title\nanna,x\rbert,y\r", "line 2: a carriage return without a line feed");
    refused("login\nanna\nbert\nanna\n", "line 4: the login anna has been on line 2 already");
    refused("login\n\"anna \"\n", "line 2: the login 'anna ' begins or ends with a space");
    refused("login\nan\tna\n", "line 2: user \"an\tna\": the login must be UTF-8 text without");
    refused("login,disabled\nanna,maybe\n", "line 2: user \"anna\": disabled must be yes or no, not \"maybe\"");
    refused("login,title\nanna,x\nbert,M\xfcller\n", "line 3: this is no UTF-8 text");
    refused("\xff\xfel\n", "line 1: this is no UTF-8 text");
    refused_bytes((mdm_bytes_t){ nul, sizeof(nul) - 1 }, "line 2: this is no UTF-8 text");
    database_end();
}
END_TEST

static const char *repeat(const char *text, int times)
{
    apr_size_t len = strlen(text), i;
    char *out = apr_palloc(database_pool(), len * (apr_size_t)times + 1);

    for (i = 0; i < (apr_size_t)times; i++)
        memcpy(out + i * len, text, len);
    out[len * (apr_size_t)times] = '\0';
    return out;
}

START_TEST(large_files_end_somewhere)
{
    apr_size_t len = MDM_PERSON_CSV_BYTES_MAX + 1;
    unsigned char *big;
    char *many, *out;
    int i;

    start(_i);
    big = apr_pcalloc(database_pool(), len);
    memset(big, 'x', len);
    refused_bytes((mdm_bytes_t){ big, len }, "the file is larger than");
    refused(apr_pstrcat(database_pool(), "login\n", repeat("x", 256), "\n", NULL),
            apr_pstrcat(database_pool(), "line 2: user \"", repeat("x", 60),
                        "...\": the login must have 1 to 255 bytes, not 256", NULL));
    refused(apr_pstrcat(database_pool(), "login,t\nanna,", repeat("x", 1025), "\n", NULL),
            "line 2: user \"anna\": t must not be longer than 1024 bytes");
    refused(apr_pstrcat(database_pool(), "login", repeat(",a", 70), "\n", NULL), "line 1: more than 64 fields");
    out = many = apr_palloc(database_pool(), 12 * (MDM_PERSON_CSV_ROWS_MAX + 2));
    out += sprintf(out, "login\n");
    for (i = 0; i <= MDM_PERSON_CSV_ROWS_MAX; i++)
        out += sprintf(out, "u%d\n", i);
    refused(many, "line 100002: more than 100000 users");
    database_end();
}
END_TEST

START_TEST(every_cut_of_a_file_is_read_or_refused)
{
    static const char file[] = "\xef\xbb\xbflogin,title\r\nanna,\"N\"\"u, rse\"\r\nzo\xc3\xab,x\r\n";
    apr_array_header_t *changes;
    apr_size_t len;

    start(_i);
    for (len = 0; len < sizeof(file); len++) {
        unsigned char *cut = apr_pmemdup(database_pool(), file, len + 1);

        mdm_ctx_clear(st->ctx);
        if (mdm_person_csv_read(&changes, st->ctx, (mdm_bytes_t){ cut, len }) == APR_SUCCESS)
            ck_assert_int_le(changes->nelts, 2);
        else
            ck_assert_ptr_nonnull(st->ctx->detail);
    }
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("person csv");
    TCase *tcase = tcase_create("person csv");

    (void)argc;
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, quotes_line_ends_and_marks_are_read, 0, DATABASES);
    tcase_add_loop_test(tcase, a_file_changes_what_it_names, 0, DATABASES);
    tcase_add_loop_test(tcase, hostile_files_are_refused_with_their_line, 0, 1);
    tcase_add_loop_test(tcase, large_files_end_somewhere, 0, 1);
    tcase_add_loop_test(tcase, every_cut_of_a_file_is_read_or_refused, 0, 1);
    suite_add_tcase(suite, tcase);
    return database_main(suite, argv);
}
