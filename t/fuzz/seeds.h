/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeds that a fuzz target makes itself when it runs, beside the files of its corpus: messages need keys, and
 * keys are never stored. Replayed by t/fuzz/replay.c; $MDM_FUZZ_DUMP names a folder where it writes them
 * instead, to start libFuzzer from.
 */
#ifndef MDM_FUZZ_SEEDS_H
#define MDM_FUZZ_SEEDS_H

#include <stddef.h>
#include <stdint.h>

typedef void fuzz_use_t(const uint8_t *data, size_t size);

/** Of each target that has such seeds: hand each to `use`. */
void fuzz_seeds(fuzz_use_t *use) __attribute__((weak));

#endif
