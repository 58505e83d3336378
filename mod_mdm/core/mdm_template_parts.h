/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a template is kept, for the files of mdm_template alone: the tree as it was read, and beside it the way to the
 * nodes that have to be made anew.
 */
#ifndef MDM_TEMPLATE_PARTS_H
#define MDM_TEMPLATE_PARTS_H

#include "mdm_template.h"

/* A piece of a text: as it is, or what stands for a reference. */
typedef struct mdm_template_part_t {
    mdm_bytes_t text;
    const mdm_reference_t *reference;   /* NULL: plain */
} mdm_template_part_t;

/* A node to be made anew: a text with parts, or a container with such nodes in it. */
typedef struct mdm_template_spot_t {
    const mdm_plist_t *node;
    apr_array_header_t *inner;          /* mdm_template_spot_t *, in the order of the items; NULL: a text */
    apr_array_header_t *parts;          /* mdm_template_part_t */
} mdm_template_spot_t;

struct mdm_template_t {
    apr_int64_t profile;
    const mdm_plist_t *root;
    const mdm_template_spot_t *top;     /* NULL: nothing changes but the PayloadUUID */
    apr_array_header_t *references;     /* const mdm_reference_t *, in the order of the document */
    mdm_template_uses_t uses;
};

/* What mdm_template_value.c knows of devices, for people. */
#define MDM_TEMPLATE_DEVICE_NAMES \
    "udid, enrollment_id, serial_number, model, model_name, product_name, device_name, os_version, build_version, " \
    "imei, meid"

/** The fact that a name of a device looks at; NULL: none. */
const char *mdm_template_fact(const char *name);

/** Whether anything can ever give a device a value of this name. */
int mdm_template_is_device(const char *name);

/**
 * The text that stands for a reference.
 * @param why set when there is none: the sentence that says so
 * @return MDM_ENOTFOUND
 */
apr_status_t mdm_template_value(mdm_bytes_t *value, const char **why, const mdm_values_t *values,
                                const mdm_reference_t *reference, apr_pool_t *p);

#endif
