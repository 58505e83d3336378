/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main program of each t/fuzz/fuzz_<name>: feeds every file of the seed corpus to the target once, and
 * the seeds that the target makes itself (seeds.h), as "make check" wants it. The folder is
 * $MDM_FUZZ_CORPUS/<name>, or the arguments are files to replay. Links against the same
 * LLVMFuzzerTestOneInput that a libFuzzer build drives. It never invents input.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seeds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int made;

/* In an allocation of the exact size, so that a sanitizer sees the first byte read past the end. */
static void feed(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);

    if (!exact)
        abort();
    if (size)
        memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static void feed_made(const uint8_t *data, size_t size)
{
    made++;
    feed(data, size);
}

static void dump(const uint8_t *data, size_t size)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/made-%03d", getenv("MDM_FUZZ_DUMP"), made++);
    file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file)) {
        perror(path);
        exit(1);
    }
}

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0, got;

    if (!file) {
        perror(path);
        return 1;
    }
    do {
        data = realloc(data, size + 65536);
        if (!data)
            abort();
        got = fread(data + size, 1, 65536, file);
        size += got;
    } while (got > 0);
    fclose(file);

    feed(data, size);
    free(data);
    return 0;
}

static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int count = 0, failed = 0;

    if (!dir) {
        perror(folder);
        return 1;
    }
    while ((entry = readdir(dir)) != NULL) {
        char path[8192];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        failed |= replay(path);
        count++;
    }
    closedir(dir);
    printf("%s: %d inputs replayed\n", folder, count);
    return failed || count == 0;
}

int main(int argc, char **argv)
{
    const char *corpus = getenv("MDM_FUZZ_CORPUS"), *name = strrchr(argv[0], '/');
    char folder[4096];
    int failed = 0;

    if (fuzz_seeds && getenv("MDM_FUZZ_DUMP")) {
        fuzz_seeds(dump);
        return 0;
    }
    if (argc > 1) {
        for (int i = 1; i < argc; i++)
            failed |= replay(argv[i]);
        return failed;
    }
    name = name ? name + 1 : argv[0];
    if (!corpus || strncmp(name, "fuzz_", 5) != 0) {
        fprintf(stderr, "set MDM_FUZZ_CORPUS, or name the files to replay\n");
        return 2;
    }
    snprintf(folder, sizeof(folder), "%s/%s", corpus, name + 5);
    failed = replay_folder(folder);
    if (fuzz_seeds) {
        fuzz_seeds(feed_made);
        printf("%s: %d made inputs replayed\n", name, made);
        failed |= made == 0;
    }
    return failed;
}
