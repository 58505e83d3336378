/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts DER apart and sews it together: for messages that no library makes, in t/unit and t/fuzz. Shares no
 * code with mod_mdm. Memory is malloc's; what does not fit together aborts.
 */
#ifndef DER_SURGERY_H
#define DER_SURGERY_H

#include "scep_maker.h"

/** Where an element is: the number of the child on each level, ended by -1. */
typedef const int der_path_t[16];

/** The element at the path, inside `whole`. */
maker_bytes_t der_at(maker_bytes_t whole, const int *path);

/** A copy of `whole` with other bytes in the place of the element; all lengths around it are made right. */
maker_bytes_t der_replace(maker_bytes_t whole, const int *path, maker_bytes_t with);

/** An element of the tag around the bytes. */
maker_bytes_t der_wrap(unsigned char tag, maker_bytes_t bytes);

/** Bytes followed by others. */
maker_bytes_t der_join(maker_bytes_t first, maker_bytes_t second);

/* Parts of a SCEP message as scep_maker makes it, in its SignedData. */
#define DER_DIGEST_ALGORITHMS { 1, 0, 1, -1 }
#define DER_CONTENT { 1, 0, 2, 1, 0, -1 }
#define DER_CERTIFICATE { 1, 0, 3, 0, -1 }
#define DER_CERTIFICATES { 1, 0, 3, -1 }
#define DER_SIGNER_INFOS { 1, 0, 4, -1 }
#define DER_SIGNED_ATTRIBUTES { 1, 0, 4, 0, 3, -1 }

/* Parts of an EnvelopedData. */
#define DER_RECIPIENTS { 1, 0, 1, -1 }
#define DER_RECIPIENT { 1, 0, 1, 0, -1 }

#endif
