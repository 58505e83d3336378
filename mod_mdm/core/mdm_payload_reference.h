/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a value of a profile is a reference, such as ${user.mail} or ${secret.wifi:data}. Whether the reference is
 * right is for mdm_template.h to say. Any thread.
 */
#ifndef MDM_PAYLOAD_REFERENCE_H
#define MDM_PAYLOAD_REFERENCE_H

#include "mdm_plist.h"

/** Whether a text has a reference in it: ${, but not $${. */
int mdm_reference_in_text(const char *text);

/** Whether a text is one reference that stands for data. */
int mdm_reference_is_data_text(const char *text);

/** The same of the text of a string; 0 for other values. */
int mdm_reference_in(const mdm_plist_t *value);
int mdm_reference_is_data(const mdm_plist_t *value);

#endif
