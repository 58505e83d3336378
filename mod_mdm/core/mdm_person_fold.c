/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins whatever their case and the spaces in them: directories take a login so, and httpd hands on what was typed.
 * Called at sign-ins, any thread; asks no database.
 */
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include <apr_strings.h>

#include "mdm_person.h"

typedef wint_t to_case_fn(wint_t character, locale_t locale);

/* As the databases' LOWER does it: letters of ASCII only. */
static const char *small(const char *text, apr_pool_t *p)
{
    char *copy = apr_pstrdup(p, text), *c;

    for (c = copy; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    return copy;
}

/* As the databases' TRIM does it. */
static const char *trimmed(const char *text, apr_pool_t *p)
{
    apr_size_t len;

    text += strspn(text, " ");
    for (len = strlen(text); len && text[len - 1] == ' '; len--)
        ;
    return apr_pstrmemdup(p, text, len);
}

static const char *with_single_spaces(const char *text, apr_pool_t *p)
{
    char *copy = apr_pstrdup(p, text), *to = copy;

    for (; *text; text++) {
        if (*text != ' ' || text[1] != ' ')
            *to++ = *text;
    }
    *to = '\0';
    return copy;
}

/* What is no UTF-8 stays as it is. */
static const char *in_case(const char *text, to_case_fn *to_case, locale_t utf8, apr_pool_t *p)
{
    apr_size_t room = strlen(text) + 1, count, i;
    wchar_t *wide = apr_palloc(p, sizeof(*wide) * room);
    char *out = apr_palloc(p, MB_LEN_MAX * room);
    locale_t before = uselocale(utf8);

    count = mbstowcs(wide, text, room);
    for (i = 0; count != (apr_size_t)-1 && i < count; i++)
        wide[i] = (wchar_t)to_case((wint_t)wide[i], utf8);
    if (count == (apr_size_t)-1 || wcstombs(out, wide, MB_LEN_MAX * room) == (size_t)-1)
        out = NULL;
    uselocale(before);
    return out ? out : text;
}

void mdm_person_fold(const char *folded[MDM_USER_FOLDED], const char *login, apr_pool_t *p)
{
    const char *plain = trimmed(login, p), *single = with_single_spaces(plain, p);
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

    folded[0] = small(plain, p);
    folded[1] = folded[2] = small(single, p);
    if (utf8 == (locale_t)0)
        return;
    folded[1] = small(in_case(single, towlower_l, utf8, p), p);
    folded[2] = small(in_case(single, towupper_l, utf8, p), p);
    freelocale(utf8);
}

int mdm_person_is_same(const char *one, const char *two, apr_pool_t *p)
{
    const char *folded[MDM_USER_FOLDED], *other[MDM_USER_FOLDED];

    mdm_person_fold(folded, one, p);
    mdm_person_fold(other, two, p);
    return !strcmp(folded[1], other[1]);
}
