/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of a property list's simple values. Called while a list is read, in any thread, on hostile bytes;
 * depends on no locale and keeps nothing.
 */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_plist_value.h"

#define SMALL_DICT 16
#define REAL_MAX_LEN 400
#define SECONDS_PER_DAY 86400

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void trim(const char **text, apr_size_t *len)
{
    while (*len && is_space(**text)) {
        (*text)++;
        (*len)--;
    }
    while (*len && is_space((*text)[*len - 1]))
        (*len)--;
}

static int read_integer(apr_int64_t *out, const char *text, apr_size_t len)
{
    int negative = len && *text == '-';
    apr_uint64_t limit = (apr_uint64_t)INT64_MAX + (apr_uint64_t)negative, value = 0;
    apr_size_t i = len && (*text == '-' || *text == '+');

    if (i == len)
        return 0;
    for (; i < len; i++) {
        apr_uint64_t digit = (apr_uint64_t)(text[i] - '0');

        if (!is_digit(text[i]) || value > (limit - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    *out = negative ? (apr_int64_t)(0 - value) : (apr_int64_t)value;
    return 1;
}

static apr_size_t skip_digits(const char *text, apr_size_t *at)
{
    apr_size_t start = *at;

    while (is_digit(text[*at]))
        (*at)++;
    return *at - start;
}

static int is_real(const char *text)
{
    apr_size_t at = *text == '-' || *text == '+', digits = skip_digits(text, &at);

    if (text[at] == '.') {
        at++;
        digits += skip_digits(text, &at);
    }
    if (digits && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        at += text[at] == '-' || text[at] == '+';
        digits = skip_digits(text, &at);
    }
    return digits && !text[at];
}

static int read_real(double *out, const char *text, apr_size_t len)
{
    char copy[REAL_MAX_LEN + 1];
    locale_t plain, before;

    if (len > REAL_MAX_LEN)
        return 0;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (!is_real(copy))
        return 0;
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0)
        return 0;
    before = uselocale(plain);
    *out = strtod(copy, NULL);
    uselocale(before);
    freelocale(plain);
    return isfinite(*out);
}

/* The number in `n` digits, or -1. */
static int read_digits(const char *text, int n)
{
    int value = 0;

    while (n-- > 0) {
        if (!is_digit(*text))
            return -1;
        value = value * 10 + (*text++ - '0');
    }
    return value;
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01 to a day of the Gregorian calendar, also before that; years from 1 on. */
static apr_int64_t days_of(int year, int month, int day)
{
    apr_int64_t before = year - 1, days;
    int m;

    days = before * 365 + before / 4 - before / 100 + before / 400 - 719162;
    for (m = 1; m < month; m++)
        days += days_in_month(year, m);
    return days + day - 1;
}

static int read_date(apr_time_t *out, const char *text, apr_size_t len)
{
    int year, month, day, hour, minute, second;

    if (len != 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':'
        || text[19] != 'Z')
        return 0;
    year = read_digits(text, 4);
    month = read_digits(text + 5, 2);
    day = read_digits(text + 8, 2);
    hour = read_digits(text + 11, 2);
    minute = read_digits(text + 14, 2);
    second = read_digits(text + 17, 2);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return 0;
    second += hour * 3600 + minute * 60;
    *out = (days_of(year, month, day) * SECONDS_PER_DAY + second) * APR_USEC_PER_SEC;
    return 1;
}

static const char *read_bytes(mdm_plist_t *value, const char *text, apr_size_t len, apr_pool_t *p)
{
    if (value->type == MDM_PLIST_DATA) {
        if (mdm_base64_decode(&value->bytes, text, len, p) != APR_SUCCESS)
            return "a data value is not base64";
        return NULL;
    }
    value->bytes.data = (const unsigned char *)apr_pstrmemdup(p, text, len);
    value->bytes.len = len;
    return NULL;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorting, unlike hashing, has no input that makes it slow. */
static const char *check_large_dict(const mdm_plist_t *dict)
{
    const char **keys = malloc(dict->count * sizeof(*keys)), *wrong = NULL;
    const mdm_plist_t *item;
    apr_size_t n = 0, i;

    if (!keys)
        return "no memory to check a dictionary";
    for (item = dict->first; item; item = item->next)
        keys[n++] = item->key;
    qsort(keys, n, sizeof(*keys), compare_keys);
    for (i = 1; i < n && !wrong; i++) {
        if (strcmp(keys[i - 1], keys[i]) == 0)
            wrong = "a dictionary has the same key twice";
    }
    free(keys);
    return wrong;
}

const char *mdm_plist_value_check_keys(const mdm_plist_t *dict)
{
    const mdm_plist_t *a, *b;

    if (dict->count > SMALL_DICT)
        return check_large_dict(dict);
    for (a = dict->first; a; a = a->next) {
        for (b = a->next; b; b = b->next) {
            if (strcmp(a->key, b->key) == 0)
                return "a dictionary has the same key twice";
        }
    }
    return NULL;
}

const char *mdm_plist_value_read(mdm_plist_t *value, const char *text, apr_size_t len, apr_pool_t *p)
{
    if (value->type == MDM_PLIST_STRING || value->type == MDM_PLIST_DATA)
        return read_bytes(value, text, len, p);
    if (value->type == MDM_PLIST_BOOLEAN)
        return len ? "a boolean is not empty" : NULL;
    trim(&text, &len);
    switch (value->type) {
    case MDM_PLIST_INTEGER:
        return read_integer(&value->integer, text, len) ? NULL : "an integer is malformed or out of range";
    case MDM_PLIST_REAL:
        return read_real(&value->real, text, len) ? NULL : "a real is malformed or out of range";
    default:
        return read_date(&value->date, text, len) ? NULL : "a date is not YYYY-MM-DDThh:mm:ssZ";
    }
}
