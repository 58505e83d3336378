/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the load generator counts: answers by status, and a histogram of latencies whose buckets are within
 * 1/64 of each other. One thread writes, and prints at the end.
 */
#include <stdio.h>
#include <time.h>

#include "load.h"

#define SUB_BITS 6
#define SUB (1 << SUB_BITS)
#define BUCKETS ((64 - SUB_BITS) * SUB)
#define STATUS_MAX 600

static uint64_t buckets[BUCKETS], units, longest, statuses[STATUS_MAX];

uint64_t load_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Values below SUB have a bucket of their own; above, the leading bit and the SUB_BITS after it tell. */
static int bucket_of(uint64_t value)
{
    int shift;

    if (value < SUB)
        return (int)value;
    shift = 63 - __builtin_clzll(value) - SUB_BITS;
    return (shift + 1) * SUB + (int)((value >> shift) & (SUB - 1));
}

static uint64_t value_of(int bucket)
{
    int shift = bucket / SUB - 1;

    if (shift < 0)
        return (uint64_t)bucket;
    return ((uint64_t)SUB + (uint64_t)(bucket % SUB)) << shift;
}

void load_note_unit(uint64_t nanoseconds)
{
    buckets[bucket_of(nanoseconds)]++;
    units++;
    if (nanoseconds > longest)
        longest = nanoseconds;
}

void load_note_status(int status)
{
    statuses[status > 0 && status < STATUS_MAX ? status : 0]++;
}

/* In microseconds. */
static double percentile(double part)
{
    uint64_t rank = (uint64_t)(part * (double)units), seen = 0;
    int i;

    for (i = 0; i < BUCKETS; i++) {
        seen += buckets[i];
        if (seen > rank)
            return (double)value_of(i) / 1000.0;
    }
    return (double)longest / 1000.0;
}

void load_print(double seconds, uint64_t requests, uint64_t body_bytes, uint64_t failed, uint64_t dry)
{
    const char *comma = "";
    int i;

    printf("{\"seconds\": %.6f, \"requests\": %llu, \"units\": %llu, \"failed\": %llu, \"dry\": %llu, "
           "\"body_bytes\": %llu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"status\": {",
           seconds, (unsigned long long)requests, (unsigned long long)units, (unsigned long long)failed,
           (unsigned long long)dry, (unsigned long long)body_bytes, percentile(0.5), percentile(0.99),
           (double)longest / 1000.0);
    for (i = 0; i < STATUS_MAX; i++) {
        if (statuses[i]) {
            printf("%s\"%d\": %llu", comma, i, (unsigned long long)statuses[i]);
            comma = ", ";
        }
    }
    printf("}}\n");
    fflush(stdout);
}
