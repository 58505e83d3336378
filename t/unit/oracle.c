/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder and the openssl command line of the unit programs; see oracle.h. Test code only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "oracle.h"

static apr_pool_t *pool;
static char folder[256];

mdm_ctx_t *oracle_start(void)
{
    const char *base = getenv("TMPDIR");

    apr_initialize();
    apr_pool_create(&pool, NULL);
    snprintf(folder, sizeof(folder), "%s/mdm-unit-XXXXXX", base && *base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    return mdm_ctx_create(pool, NULL);
}

void oracle_end(void)
{
    char command[320];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
    apr_pool_destroy(pool);
    apr_terminate();
}

void oracle_write(const char *name, mdm_bytes_t bytes)
{
    FILE *file = fopen(apr_pstrcat(pool, folder, "/", name, NULL), "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
    ck_assert_int_eq(fclose(file), 0);
}

static mdm_bytes_t read_all(FILE *file)
{
    apr_size_t room = 1024 * 1024;
    unsigned char *data = apr_palloc(pool, room + 1);
    mdm_bytes_t bytes = { data, fread(data, 1, room, file) };

    ck_assert_uint_lt(bytes.len, room);
    data[bytes.len] = '\0';
    return bytes;
}

mdm_bytes_t oracle_read(const char *name)
{
    FILE *file = fopen(apr_pstrcat(pool, folder, "/", name, NULL), "rb");
    mdm_bytes_t bytes;

    ck_assert_msg(file != NULL, "%s is missing", name);
    bytes = read_all(file);
    fclose(file);
    return bytes;
}

const char *oracle_try(int *status, const char *command)
{
    FILE *pipe = popen(apr_psprintf(pool, "cd '%s' && { %s\n} 2>&1", folder, command), "r");
    const char *output;
    int code;

    ck_assert_ptr_nonnull(pipe);
    output = (const char *)read_all(pipe).data;
    code = pclose(pipe);
    *status = WIFEXITED(code) ? WEXITSTATUS(code) : -1;
    return output;
}

const char *oracle_run(const char *command)
{
    int status;
    const char *output = oracle_try(&status, command);

    ck_assert_msg(status == 0, "exit code %d of: %s\n%s", status, command, output);
    return output;
}

void oracle_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no '%s' in:\n%s", part, text);
}

int oracle_count(const char *text, const char *part)
{
    int n = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        n++;
    return n;
}
