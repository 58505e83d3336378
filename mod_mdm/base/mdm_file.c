/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that hold keys. Runs in the parent process and in mdmctl, before any thread exists; every refusal
 * names the file and the remedy, none shows contents.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "mdm_file.h"

#define SECRET_MAX 65536

typedef struct {
    void *data;
    apr_size_t len;
} cleanse_t;

static apr_status_t cleanse_cleanup(void *baton)
{
    cleanse_t *c = baton;

    mdm_cleanse(c->data, c->len);
    return APR_SUCCESS;
}

static void cleanse_with_pool(void *data, apr_size_t len, apr_pool_t *p)
{
    cleanse_t *c = apr_palloc(p, sizeof(*c));

    c->data = data;
    c->len = len;
    apr_pool_cleanup_register(p, c, cleanse_cleanup, apr_pool_cleanup_null);
}

static apr_status_t check_secret(mdm_ctx_t *ctx, const char *file, const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return mdm_fail(ctx, MDM_ECONFIG, "%s is not a regular file", file);
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return mdm_fail(ctx, MDM_ECONFIG, "%s belongs to user id %lu: chown it to the user that starts httpd",
                        file, (unsigned long)st->st_uid);
    if (st->st_mode & (S_IRWXG | S_IRWXO))
        return mdm_fail(ctx, MDM_ECONFIG, "%s is open to group or others (mode %04o): chmod 600 it", file,
                        (unsigned int)(st->st_mode & 07777));
    return APR_SUCCESS;
}

apr_status_t mdm_file_check_secret(mdm_ctx_t *ctx, const char *file)
{
    struct stat st;

    if (stat(file, &st) != 0)
        return mdm_fail(ctx, MDM_ECONFIG, "%s: %s", file, strerror(errno));
    return check_secret(ctx, file, &st);
}

/* At most `max` bytes of an open file; one more byte is looked for, and one for the NUL is kept. */
static apr_status_t read_all(mdm_bytes_t *out, mdm_ctx_t *ctx, const char *file, int fd, apr_size_t max,
                             int secret)
{
    unsigned char *data = apr_palloc(ctx->pool, max + 2);
    apr_size_t len = 0;

    if (secret)
        cleanse_with_pool(data, max + 2, ctx->pool);
    while (len <= max) {
        ssize_t n = read(fd, data + len, max + 1 - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mdm_fail(ctx, MDM_ECONFIG, "%s: %s", file, strerror(errno));
        if (n == 0)
            break;
        len += (apr_size_t)n;
    }
    if (len > max)
        return mdm_fail(ctx, MDM_ECONFIG, "%s is larger than %lu bytes", file, (unsigned long)max);
    data[len] = '\0';
    out->data = data;
    out->len = len;
    return APR_SUCCESS;
}

apr_status_t mdm_file_read_secret(mdm_bytes_t *out, mdm_ctx_t *ctx, const char *file)
{
    /* What is checked is what is read, whatever happens to the name; a pipe must not make us wait. */
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    apr_status_t rv;
    struct stat st;

    if (fd < 0)
        return mdm_fail(ctx, MDM_ECONFIG, "%s: %s", file, strerror(errno));
    if (fstat(fd, &st) != 0)
        rv = mdm_fail(ctx, MDM_ECONFIG, "%s: %s", file, strerror(errno));
    else
        rv = check_secret(ctx, file, &st);
    if (rv == APR_SUCCESS)
        rv = read_all(out, ctx, file, fd, SECRET_MAX, 1);
    close(fd);
    return rv;
}

apr_status_t mdm_file_read(mdm_bytes_t *out, mdm_ctx_t *ctx, const char *file, apr_size_t max)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    apr_status_t rv;

    if (fd < 0)
        return mdm_fail(ctx, MDM_ECONFIG, "%s: %s", file, strerror(errno));
    rv = read_all(out, ctx, file, fd, max, 0);
    close(fd);
    return rv;
}

static int write_all(int fd, mdm_bytes_t contents)
{
    apr_size_t done = 0;

    while (done < contents.len) {
        ssize_t n = write(fd, contents.data + done, contents.len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        done += (apr_size_t)n;
    }
    return fsync(fd);
}

/* Make the names in the folder of `file` durable. @return 0, or -1 with errno set */
static int sync_folder(const char *file, apr_pool_t *p)
{
    const char *slash = strrchr(file, '/');
    const char *folder = slash ? apr_pstrmemdup(p, file, (apr_size_t)(slash - file + 1)) : ".";
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), done;

    if (fd < 0)
        return -1;
    done = fsync(fd);
    close(fd);
    return done;
}

apr_status_t mdm_file_create(mdm_ctx_t *ctx, const char *file, mdm_bytes_t contents, int secret)
{
    const char *suffix = mdm_uuid_random(ctx->pool);
    /* A random name: what a crash left behind is never in the way. */
    const char *temp = apr_pstrcat(ctx->pool, file, ".", suffix ? suffix : "new", NULL);
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, secret ? 0600 : 0644);
    int err = 0;

    if (fd < 0)
        return mdm_fail(ctx, MDM_ECONFIG, "cannot create %s: %s", temp, strerror(errno));
    if (write_all(fd, contents) != 0)
        err = errno;
    if (close(fd) != 0 && !err)
        err = errno;
    /* link() refuses an existing name, so that a whole file appears or none, and no key is ever replaced. */
    if (!err && link(temp, file) != 0)
        err = errno;
    unlink(temp);
    if (!err && sync_folder(file, ctx->pool) != 0)
        err = errno;
    if (err == EEXIST)
        return mdm_fail(ctx, MDM_EEXIST, "%s is already there; it is never replaced", file);
    if (err)
        return mdm_fail(ctx, MDM_ECONFIG, "cannot write %s: %s", file, strerror(err));
    return APR_SUCCESS;
}

apr_status_t mdm_file_link(mdm_ctx_t *ctx, const char *file, const char *name)
{
    if (link(file, name) != 0 && errno == EEXIST)
        return mdm_fail(ctx, MDM_EEXIST, "%s is already there; it is never replaced", name);
    if (!access(name, F_OK) && sync_folder(name, ctx->pool) == 0)
        return APR_SUCCESS;
    return mdm_fail(ctx, MDM_ECONFIG, "cannot give %s the name %s: %s", file, name, strerror(errno));
}

apr_status_t mdm_file_rename(mdm_ctx_t *ctx, const char *file, const char *name)
{
    if (rename(file, name) != 0 || sync_folder(name, ctx->pool) != 0)
        return mdm_fail(ctx, MDM_ECONFIG, "cannot rename %s to %s: %s", file, name, strerror(errno));
    return APR_SUCCESS;
}
