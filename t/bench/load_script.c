/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the script of the load generator, once, before anything is sent. The script is written by the
 * benchmark itself; what is wrong with it ends the program.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define LINE_MAX_LEN 4096

static void *grown(void *list, int count, size_t size)
{
    /* doubled at each power of two */
    if (count & (count - 1))
        return list;
    list = realloc(list, size * (size_t)(count ? 2 * count : 1));
    if (!list)
        load_die("out of memory");
    return list;
}

static const char *name_or_null(const char *text)
{
    char *copy;

    if (!strcmp(text, "-"))
        return NULL;
    copy = strdup(text);
    if (!copy)
        load_die("out of memory");
    return copy;
}

static void add_lane(load_script_t *script, const char *line)
{
    char certificate[LINE_MAX_LEN], key[LINE_MAX_LEN];
    load_lane_t *lane;

    if (sscanf(line, "connection %4095s %4095s", certificate, key) != 2)
        load_die("not a line of a script: %s", line);
    script->lanes = grown(script->lanes, script->count, sizeof(*script->lanes));
    lane = &script->lanes[script->count++];
    memset(lane, 0, sizeof(*lane));
    lane->certificate = name_or_null(certificate);
    lane->key = name_or_null(key);
}

static void add_request(load_script_t *script, const char *line, FILE *file)
{
    load_lane_t *lane = script->count ? &script->lanes[script->count - 1] : NULL;
    load_request_t *request;
    unsigned long len;

    if (!lane || sscanf(line, "request %lu", &len) != 1 || len > 64UL << 20)
        load_die("not a line of a script, or in the wrong place: %s", line);
    lane->requests = grown(lane->requests, lane->count, sizeof(*lane->requests));
    request = &lane->requests[lane->count++];
    request->len = len;
    request->bytes = malloc(len + 1);
    if (!request->bytes || fread(request->bytes, 1, len, file) != len || fgetc(file) != '\n')
        load_die("the script ends within a request");
    request->bytes[len] = '\0';
    request->fresh = memmem(request->bytes, len, LOAD_MARK_NEW, LOAD_UUID_LEN);
    request->reply = memmem(request->bytes, len, LOAD_MARK_REPLY, LOAD_UUID_LEN);
}

void load_script_read(load_script_t *script, const char *path)
{
    FILE *file = fopen(path, "rb");
    char line[LINE_MAX_LEN];
    int i;

    memset(script, 0, sizeof(*script));
    if (!file)
        load_die("cannot read %s", path);
    while (fgets(line, sizeof(line), file)) {
        if (!strncmp(line, "request ", 8))
            add_request(script, line, file);
        else
            add_lane(script, line);
    }
    fclose(file);
    if (!script->count)
        load_die("%s names no connection", path);
    for (i = 0; i < script->count; i++) {
        if (!script->lanes[i].count)
            load_die("connection %d of %s has no request", i + 1, path);
    }
}
