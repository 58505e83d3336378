/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text for HTML pages. Pure, any thread; takes anything a device or a database may hold.
 */
#include <string.h>

#include "mdm_bytes.h"
#include "mdm_html.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* What stands for the character of `n` bytes at `text`, none when it stands for itself. */
static const char *escape_of(const unsigned char *text, apr_size_t n)
{
    if (!n || (*text < 0x20 && *text != '\t' && *text != '\n') || *text == 0x7f)
        return REPLACEMENT;
    switch (*text) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* @return the length of the escaped text, which is written when `out` is not NULL */
static apr_size_t escape(char *out, mdm_bytes_t text)
{
    apr_size_t i = 0, len = 0;

    while (i < text.len) {
        apr_size_t n = mdm_utf8_step(text.data + i, text.len - i);
        const char *put = escape_of(text.data + i, n);
        apr_size_t put_len = put ? strlen(put) : n;

        if (out)
            memcpy(out + len, put ? (const unsigned char *)put : text.data + i, put_len);
        len += put_len;
        i += n ? n : 1;
    }
    return len;
}

const char *mdm_html_escape(const char *text, apr_pool_t *p)
{
    mdm_bytes_t bytes = mdm_bytes_of(text);
    apr_size_t len = escape(NULL, bytes);
    char *out = apr_palloc(p, len + 1);

    escape(out, bytes);
    out[len] = '\0';
    return out;
}
