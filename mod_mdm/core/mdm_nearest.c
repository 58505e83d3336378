/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Did you mean: distances between names, which are short. Called by what checks commands and payloads, any thread.
 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "mdm_bytes.h"
#include "mdm_nearest.h"

#define NAME_SHOWN 60

static int min3(int a, int b, int c)
{
    int least = a < b ? a : b;

    return least < c ? least : c;
}

/* How many letters differ (Levenshtein), upper and lower case being the same. */
static int distance(const char *a, const char *b)
{
    int row[NAME_SHOWN + 1], n = (int)strlen(b), i, j;

    if (n > NAME_SHOWN || strlen(a) > NAME_SHOWN)
        return NAME_SHOWN;
    for (j = 0; j <= n; j++)
        row[j] = j;
    for (i = 1; a[i - 1]; i++) {
        int corner = row[0];

        row[0] = i;
        for (j = 1; j <= n; j++) {
            int above = row[j];

            row[j] = min3(above + 1, row[j - 1] + 1, corner + (strncasecmp(a + i - 1, b + j - 1, 1) != 0));
            corner = above;
        }
    }
    return row[n];
}

mdm_nearest_t mdm_nearest_of(const char *wanted)
{
    mdm_nearest_t nearest = { wanted, NULL, strlen(wanted) < 5 ? 2 : 4 };

    return nearest;
}

void mdm_nearest_try(mdm_nearest_t *nearest, const char *name)
{
    int d = distance(nearest->wanted, name);

    if (d < nearest->distance) {
        nearest->distance = d;
        nearest->best = name;
    }
}

const char *mdm_nearest_hint(const mdm_nearest_t *nearest, apr_pool_t *p)
{
    return nearest->best ? apr_pstrcat(p, "; did you mean ", nearest->best, "?", NULL) : "";
}

const char *mdm_nearest_shown(const char *name, apr_pool_t *p)
{
    apr_size_t len = mdm_utf8_fit(name, NAME_SHOWN);

    return name[len] ? apr_pstrcat(p, apr_pstrmemdup(p, name, len), "...", NULL) : name;
}
