/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mdmctl invitation: hand out URLs that invite to enroll, as text and as QR codes; look at those there are,
 * and revoke them. A URL is printed once, when it is made.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_file_io.h>
#include <apr_portable.h>
#include <apr_strings.h>

#include "mdm_invitation.h"
#include "mdm_qr.h"
#include "mdmctl.h"

#define USAGE "... invitation list | revoke ID | new --enroll-url URL [--user NAME] [--serial NUMBER] " \
              "[--uses 1] [--lifetime 7d] [--qr-png FILE] [--qr-svg FILE]"
#define PAGE 500

typedef struct {
    const char *enroll_url, *user, *serial_number, *uses, *lifetime, *qr_png, *qr_svg;
} options_t;

/* A picture that was there before may be open to others. What is no file, such as /dev/stdout, stays as it is. */
static apr_status_t close_to_others(apr_file_t *file)
{
    apr_finfo_t info;
    apr_os_file_t fd;
    apr_status_t rv = apr_file_info_get(&info, APR_FINFO_TYPE, file);

    if (rv != APR_SUCCESS || info.filetype != APR_REG || (rv = apr_os_file_get(&fd, file)) != APR_SUCCESS)
        return rv;
    return fchmod(fd, S_IRUSR | S_IWUSR) ? APR_FROM_OS_ERROR(errno) : APR_SUCCESS;
}

/* Whoever reads the picture can enroll: it is the administrator's to hand out. */
static apr_status_t write_picture(mdm_ctx_t *ctx, const char *name, mdm_bytes_t picture)
{
    apr_file_t *file;
    apr_status_t rv = apr_file_open(&file, name, APR_FOPEN_CREATE | APR_FOPEN_TRUNCATE | APR_FOPEN_WRITE,
                                    APR_FPROT_UREAD | APR_FPROT_UWRITE, ctx->pool);

    if (rv == APR_SUCCESS && (rv = close_to_others(file)) == APR_SUCCESS
        && (rv = apr_file_write_full(file, picture.data, picture.len, NULL)) == APR_SUCCESS)
        rv = apr_file_close(file);
    return rv == APR_SUCCESS ? rv : mdm_fail(ctx, rv, "%s cannot be written: %pm", name, &rv);
}

static apr_status_t write_pictures(mdm_ctx_t *ctx, const options_t *o, const char *url)
{
    mdm_bytes_t png;
    const char *svg;
    apr_status_t rv = APR_SUCCESS;

    if (o->qr_png && (rv = mdm_qr_png(&png, ctx, url)) == APR_SUCCESS)
        rv = write_picture(ctx, o->qr_png, png);
    if (rv == APR_SUCCESS && o->qr_svg && (rv = mdm_qr_svg(&svg, ctx, url)) == APR_SUCCESS)
        rv = write_picture(ctx, o->qr_svg, mdm_bytes_of(svg));
    return rv;
}

static apr_status_t check_url(const char **url, mdm_ctx_t *ctx, const char *given)
{
    apr_size_t len = given ? strlen(given) : 0;

    if (len < 9 || strncmp(given, "https://", 8) || strpbrk(given, " \t\r\n\"<>?#"))
        return mdm_fail(ctx, MDM_EINPUT, "say where people enroll: --enroll-url https://HOST/PATH "
                        "(MDMEnrollURL, or MDMServerURL with /mdm/enroll behind it)");
    while (len && given[len - 1] == '/')
        len--;
    *url = apr_pstrmemdup(ctx->pool, given, len);
    return APR_SUCCESS;
}

static int make(mdmctl_t *m, const options_t *o)
{
    mdm_invitation_t invitation = { 0 };
    apr_interval_time_t lifetime = mdmctl_lifetime(o->lifetime ? o->lifetime : "7d");
    const char *token, *url = NULL;
    mdm_store_t *st;
    apr_status_t rv = check_url(&url, m->ctx, o->enroll_url);

    invitation.created_by = "mdmctl";
    invitation.user = o->user;
    invitation.serial_number = o->serial_number;
    invitation.uses = o->uses ? atoi(o->uses) : 1;
    if (rv != APR_SUCCESS || (rv = mdmctl_store(&st, m, 1)) != APR_SUCCESS
        || (rv = mdm_invitation_make(&token, st, &invitation, lifetime, NULL)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    url = mdm_invitation_url(url, token, m->ctx->pool);
    /* The invitation is good from now on, whatever becomes of its pictures. */
    puts(url);
    fflush(stdout);
    rv = write_pictures(m->ctx, o, url);
    return rv == APR_SUCCESS ? MDMCTL_OK : mdmctl_fail(m, rv);
}

static int list(mdmctl_t *m)
{
    apr_array_header_t *page;
    apr_int64_t cursor = 0;
    mdm_store_t *st;
    apr_status_t rv;
    int i;

    if ((rv = mdmctl_store(&st, m, 1)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    do {
        if ((rv = mdm_store_invitation_list(&page, st, cursor, PAGE)) != APR_SUCCESS)
            return mdmctl_fail(m, rv);
        for (i = 0; i < page->nelts; i++) {
            const mdm_invitation_t *one = APR_ARRAY_IDX(page, i, mdm_invitation_t *);

            printf("%" APR_INT64_T_FMT "  %-7s  until %s  %d of %d left  user %s  serial %s  by %s\n",
                   one->id, mdm_invitation_state(one, mdm_ctx_now(m->ctx)),
                   mdmctl_time(one->expires_at, m->ctx->pool), one->uses_left, one->uses,
                   one->user ? one->user : "-", one->serial_number ? one->serial_number : "-",
                   one->created_by ? one->created_by : "-");
            cursor = one->id;
        }
    } while (page->nelts == PAGE);
    return MDMCTL_OK;
}

static int revoke_one(mdmctl_t *m, const char *id)
{
    char *end;
    apr_int64_t number = apr_strtoi64(id, &end, 10);
    mdm_store_t *st;
    apr_status_t rv;

    if (number <= 0 || *end)
        return mdmctl_usage(USAGE);
    if ((rv = mdmctl_store(&st, m, 1)) != APR_SUCCESS
        || (rv = mdm_invitation_revoke(st, number, "mdmctl", NULL)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    printf("%s is revoked: its URL opens nothing from now on\n", id);
    return MDMCTL_OK;
}

int mdmctl_invitation(mdmctl_t *m, int argc, const char **argv)
{
    options_t o;

    o.enroll_url = mdmctl_option(&argc, argv, "--enroll-url");
    o.user = mdmctl_option(&argc, argv, "--user");
    o.serial_number = mdmctl_option(&argc, argv, "--serial");
    o.uses = mdmctl_option(&argc, argv, "--uses");
    o.lifetime = mdmctl_option(&argc, argv, "--lifetime");
    o.qr_png = mdmctl_option(&argc, argv, "--qr-png");
    o.qr_svg = mdmctl_option(&argc, argv, "--qr-svg");
    if (argc == 1 && !strcmp(argv[0], "new") && (!o.lifetime || mdmctl_lifetime(o.lifetime)))
        return make(m, &o);
    if (argc == 1 && !strcmp(argv[0], "list"))
        return list(m);
    return argc == 2 && !strcmp(argv[0], "revoke") ? revoke_one(m, argv[1]) : mdmctl_usage(USAGE);
}
