/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling references from texts. Called by what checks, reads and shows profiles, any thread.
 */
#include <string.h>

#include "mdm_payload_reference.h"

int mdm_reference_in_text(const char *text)
{
    while ((text = strchr(text, '$')) != NULL) {
        if (text[1] == '{')
            return 1;
        text += !strncmp(text, "$${", 3) ? 3 : 1;
    }
    return 0;
}

int mdm_reference_is_data_text(const char *text)
{
    apr_size_t len = strlen(text);

    return len > 8 && !strncmp(text, "${", 2) && !strcmp(text + len - 6, ":data}")
        && strchr(text, '}') == text + len - 1;
}

int mdm_reference_in(const mdm_plist_t *value)
{
    return value->type == MDM_PLIST_STRING && mdm_reference_in_text((const char *)value->bytes.data);
}

int mdm_reference_is_data(const mdm_plist_t *value)
{
    return value->type == MDM_PLIST_STRING && mdm_reference_is_data_text((const char *)value->bytes.data);
}
