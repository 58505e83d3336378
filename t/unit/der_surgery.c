/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replacing elements of DER; see der_surgery.h. Test code only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "der_surgery.h"

typedef struct {
    size_t head, value;
} element_t;

static void need(int holds)
{
    if (!holds) {
        fprintf(stderr, "der_surgery: no such element\n");
        abort();
    }
}

static element_t measure(maker_bytes_t at)
{
    element_t found = { 2, 0 };
    size_t i;

    need(at.len >= 2 && (at.data[0] & 0x1f) != 0x1f);
    if (at.data[1] < 0x80) {
        found.value = at.data[1];
    } else {
        found.head += at.data[1] & 0x7f;
        need(found.head > 2 && found.head <= 6 && found.head <= at.len);
        for (i = 2; i < found.head; i++)
            found.value = found.value << 8 | at.data[i];
    }
    need(found.head + found.value <= at.len);
    return found;
}

/* The element with the number among those that follow each other. */
static maker_bytes_t nth(maker_bytes_t at, int number)
{
    element_t found = measure(at);

    for (; number > 0; number--) {
        at.data += found.head + found.value;
        at.len -= found.head + found.value;
        found = measure(at);
    }
    at.len = found.head + found.value;
    return at;
}

maker_bytes_t der_at(maker_bytes_t whole, const int *path)
{
    maker_bytes_t at = nth(whole, 0);

    for (; *path >= 0; path++) {
        element_t found = measure(at);

        at.data += found.head;
        at.len = found.value;
        at = nth(at, *path);
    }
    return at;
}

maker_bytes_t der_join(maker_bytes_t first, maker_bytes_t second)
{
    maker_bytes_t made = { malloc(first.len + second.len + 1), first.len + second.len };

    need(made.data != NULL);
    if (first.len)
        memcpy(made.data, first.data, first.len);
    if (second.len)
        memcpy(made.data + first.len, second.data, second.len);
    return made;
}

maker_bytes_t der_wrap(unsigned char tag, maker_bytes_t bytes)
{
    unsigned char head[6] = { tag };
    maker_bytes_t start = { head, 2 };
    int size = bytes.len < 0x80 ? 0 : bytes.len < 0x100 ? 1 : bytes.len < 0x10000 ? 2 : 3, i;

    head[1] = (unsigned char)(size ? 0x80 | size : (int)bytes.len);
    for (i = 0; i < size; i++)
        head[2 + i] = (unsigned char)(bytes.len >> 8 * (size - 1 - i));
    start.len += (size_t)size;
    return der_join(start, bytes);
}

maker_bytes_t der_replace(maker_bytes_t whole, const int *path, maker_bytes_t with)
{
    maker_bytes_t none = { NULL, 0 }, inside, old, changed, left, right, made;
    element_t found = measure(whole);

    if (*path < 0)
        return der_join(with, none);
    inside.data = whole.data + found.head;
    inside.len = found.value;
    old = nth(inside, *path);
    changed = der_replace(old, path + 1, with);
    left.data = inside.data;
    left.len = (size_t)(old.data - inside.data);
    right.data = old.data + old.len;
    right.len = inside.len - left.len - old.len;
    made = der_join(left, changed);
    free(changed.data);
    changed = der_join(made, right);
    free(made.data);
    made = der_wrap(whole.data[0], changed);
    free(changed.data);
    return made;
}
