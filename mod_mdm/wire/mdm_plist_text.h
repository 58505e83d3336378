/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is settled about the text of a property list before libxml2 sees it. Called by mdm_plist_read.c alone;
 * pure, any thread.
 */
#ifndef MDM_PLIST_TEXT_H
#define MDM_PLIST_TEXT_H

#include "mdm_bytes.h"

/**
 * Check that a text (without byte order mark) may be a property list in XML: UTF-8 without NUL, no other
 * encoding declared, no tag longer than any of Apple's can be. Takes time in proportion to the length.
 * @return NULL, or a sentence that says what is wrong
 */
const char *mdm_plist_text_check(mdm_bytes_t text);

#endif
