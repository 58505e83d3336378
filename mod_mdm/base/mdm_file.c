/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that hold keys. Runs in the parent process and in mdmctl, before any thread exists; every refusal
 * names the file and the remedy, none shows contents.
 */
#include <errno.h>
#include <fcntl.h>
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

apr_status_t mdm_file_check_secret(mdm_ctx_t *ctx, const char *file)
{
    struct stat st;

    if (stat(file, &st) != 0)
        return mdm_fail(ctx, MDM_ECONFIG, "%s: %s", file, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return mdm_fail(ctx, MDM_ECONFIG, "%s is not a regular file", file);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return mdm_fail(ctx, MDM_ECONFIG, "%s belongs to user id %lu: chown it to the user that starts httpd", file,
                        (unsigned long)st.st_uid);
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return mdm_fail(ctx, MDM_ECONFIG, "%s is open to group or others (mode %04o): chmod 600 it", file,
                        (unsigned int)(st.st_mode & 07777));
    return APR_SUCCESS;
}

static apr_status_t read_all(mdm_bytes_t *out, mdm_ctx_t *ctx, const char *file, apr_size_t max, int secret)
{
    unsigned char *data;
    apr_size_t len = 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return mdm_fail(ctx, MDM_ECONFIG, "%s: %s", file, strerror(errno));
    data = apr_palloc(ctx->pool, max + 2);
    if (secret)
        cleanse_with_pool(data, max + 2, ctx->pool);
    while (len <= max) {
        ssize_t n = read(fd, data + len, max + 1 - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int err = errno;

            close(fd);
            return mdm_fail(ctx, MDM_ECONFIG, "%s: %s", file, strerror(err));
        }
        if (n == 0)
            break;
        len += (apr_size_t)n;
    }
    close(fd);
    if (len > max)
        return mdm_fail(ctx, MDM_ECONFIG, "%s is larger than %lu bytes", file, (unsigned long)max);
    data[len] = '\0';
    out->data = data;
    out->len = len;
    return APR_SUCCESS;
}

apr_status_t mdm_file_read_secret(mdm_bytes_t *out, mdm_ctx_t *ctx, const char *file)
{
    apr_status_t rv = mdm_file_check_secret(ctx, file);

    return rv == APR_SUCCESS ? read_all(out, ctx, file, SECRET_MAX, 1) : rv;
}

apr_status_t mdm_file_read(mdm_bytes_t *out, mdm_ctx_t *ctx, const char *file, apr_size_t max)
{
    return read_all(out, ctx, file, max, 0);
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

apr_status_t mdm_file_create(mdm_ctx_t *ctx, const char *file, mdm_bytes_t contents, int secret)
{
    const char *temp = apr_psprintf(ctx->pool, "%s.%ld.new", file, (long)getpid());
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, secret ? 0600 : 0644);
    int err = 0;

    if (fd < 0)
        return mdm_fail(ctx, MDM_ECONFIG, "cannot create %s: %s", temp, strerror(errno));
    if (write_all(fd, contents) != 0)
        err = errno;
    close(fd);
    /* link() refuses an existing name, so that a whole file appears or none, and no key is ever replaced. */
    if (!err && link(temp, file) != 0)
        err = errno;
    unlink(temp);
    if (err == EEXIST)
        return mdm_fail(ctx, MDM_EEXIST, "%s is already there; it is never replaced", file);
    if (err)
        return mdm_fail(ctx, MDM_ECONFIG, "cannot write %s: %s", file, strerror(err));
    return APR_SUCCESS;
}
