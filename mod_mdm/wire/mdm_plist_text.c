/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is settled about the text of a property list before libxml2 sees it. Runs for each device request, in
 * any thread, on hostile bytes. The encoding, because a name out of the document must never reach iconv; the
 * length of tags, because libxml2 compares each attribute with each other one before anybody is asked.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1   /* memmem */
#endif
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "mdm_plist_text.h"

/* Apple's DOCTYPE has 109 bytes; an element of a property list has at most a version. */
#define TAG_MAX 512

static int is_encoding_accepted(const char *name, apr_size_t len)
{
    static const char *const accepted[] = { "UTF-8", "US-ASCII", "ASCII" };
    apr_size_t i;

    for (i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        if (strlen(accepted[i]) == len && !strncasecmp(accepted[i], name, len))
            return 1;
    }
    return 0;
}

/* The encoding named in the XML declaration, when there is one. What is malformed here libxml2 refuses. */
static int is_declaration_accepted(const char *text)
{
    const char *end, *name;
    char quote;

    if (strncmp(text, "<?xml", 5) != 0 || !(end = strstr(text, "?>")) || !(name = strstr(text, "encoding"))
        || name > end)
        return 1;
    name += strlen("encoding");
    name += strspn(name, " \t\r\n=");
    quote = *name++;
    if (quote != '"' && quote != '\'')
        return 0;
    end = strchr(name, quote);
    return end && is_encoding_accepted(name, (apr_size_t)(end - name));
}

static int starts_with(const unsigned char *at, const unsigned char *end, const char *start)
{
    apr_size_t len = strlen(start);

    return (apr_size_t)(end - at) >= len && memcmp(at, start, len) == 0;
}

static const unsigned char *skip_past(const unsigned char *at, const unsigned char *end, const char *mark)
{
    const unsigned char *found = memmem(at, (apr_size_t)(end - at), mark, strlen(mark));

    return found ? found + strlen(mark) : end;
}

/* The end of the tag that begins at `at`; NULL when it is too long. A ">" within quotes does not end it. */
static const unsigned char *skip_tag(const unsigned char *at, const unsigned char *end)
{
    const unsigned char *limit = end - at > TAG_MAX ? at + TAG_MAX : end;
    unsigned char quote = 0;

    for (; at < limit; at++) {
        if (quote)
            quote = *at == quote ? 0 : quote;
        else if (*at == '"' || *at == '\'')
            quote = *at;
        else if (*at == '>')
            return at + 1;
    }
    return limit == end ? end : NULL;
}

static int are_tags_short(mdm_bytes_t text)
{
    const unsigned char *at = text.data, *end = text.data + text.len;

    while (at && (at = memchr(at, '<', (apr_size_t)(end - at))) != NULL) {
        if (starts_with(at, end, "<!--"))
            at = skip_past(at + 4, end, "-->");
        else if (starts_with(at, end, "<![CDATA["))
            at = skip_past(at + 9, end, "]]>");
        else if (starts_with(at, end, "<?"))
            at = skip_past(at + 2, end, "?>");
        else if ((at = skip_tag(at, end)) == NULL)
            return 0;
    }
    return 1;
}

const char *mdm_plist_text_check(mdm_bytes_t text)
{
    char head[256];

    if (!text.len)
        return "it is empty";
    if (starts_with(text.data, text.data + text.len, "bplist"))
        return "it is a binary property list of an unknown version";
    if (!mdm_utf8_valid(text))
        return "it is not UTF-8 text";
    if (*text.data != '<' && !strchr(" \t\r\n", *text.data))
        return "it is not XML";
    apr_cpystrn(head, (const char *)text.data, text.len < sizeof(head) ? text.len + 1 : sizeof(head));
    if (!is_declaration_accepted(head))
        return "its encoding is not UTF-8";
    return are_tags_short(text) ? NULL : "a tag is too long";
}
