/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps secrets out of what httpd itself writes about requests to a site. The request line and the Referer are
 * rewritten before anything reads them; what our handlers look at (r->uri, r->args) only when they are done.
 * Touches no request to a host that is no site.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_invitation.h"
#include "mod_mdm_config.h"
#include "mod_mdm_redact.h"

#define HIDDEN "..."

/* The length of the secret behind a mark of `mark` characters at `text`; 0 when there is none. */
static apr_size_t secret_at(apr_size_t *mark, const char *text)
{
    apr_size_t len;

    if (!strncmp(text, "/i/", 3)) {
        *mark = 3;
        len = strspn(text + 3, MDM_BASE64URL);
        return len == MDM_INVITATION_TOKEN_LEN ? len : 0;
    }
    if (!strncmp(text, "message=", 8)) {
        *mark = 8;
        len = strcspn(text + 8, "& \t\r\n#\"");
        /* what is shorter than the dots hides nothing, and the text never grows */
        return len >= sizeof(HIDDEN) - 1 ? len : 0;
    }
    return 0;
}

const char *mdm_redact(const char *text, apr_pool_t *p)
{
    const char *from = text;
    char *out = NULL, *end = NULL;
    apr_size_t mark = 0, len;

    while (from && *from) {
        len = *from == '/' || *from == 'm' ? secret_at(&mark, from) : 0;
        if (len && !out) {
            out = apr_pstrdup(p, text);
            end = out + (from - text);
        }
        if (len) {
            memcpy(end, from, mark);
            memcpy(end + mark, HIDDEN, sizeof(HIDDEN) - 1);
            end += mark + sizeof(HIDDEN) - 1;
            from += mark + len;
        } else {
            if (out)
                *end++ = *from;
            from++;
        }
    }
    if (out)
        *end = '\0';
    return out ? out : text;
}

static int is_site(const request_rec *r)
{
    return mdm_config_of(r->server)->site != NULL;
}

static void redact_headers(request_rec *r)
{
    const char *referer = r->headers_in ? apr_table_get(r->headers_in, "Referer") : NULL;

    r->the_request = (char *)mdm_redact(r->the_request, r->pool);
    if (referer)
        apr_table_setn(r->headers_in, "Referer", mdm_redact(referer, r->pool));
}

int mdm_redact_request(request_rec *r)
{
    if (is_site(r))
        redact_headers(r);
    return DECLINED;
}

int mdm_redact_log(request_rec *r)
{
    request_rec *one;

    if (!is_site(r))
        return DECLINED;
    for (one = r; one; one = one->next) {
        /* Once more: what httpd refuses while it reads it never came to mdm_redact_request. */
        redact_headers(one);
        one->uri = (char *)mdm_redact(one->uri, one->pool);
        one->unparsed_uri = (char *)mdm_redact(one->unparsed_uri, one->pool);
        one->args = (char *)mdm_redact(one->args, one->pool);
    }
    return DECLINED;
}
