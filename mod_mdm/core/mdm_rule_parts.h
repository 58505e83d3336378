/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a rule is kept, for the files of mdm_rule alone.
 */
#ifndef MDM_RULE_PARTS_H
#define MDM_RULE_PARTS_H

#include "mdm_rule.h"

typedef enum {
    MDM_RULE_ALL = 0,
    MDM_RULE_ANY,
    MDM_RULE_NOT,
    MDM_RULE_TEST
} mdm_rule_node_e;

typedef enum {
    MDM_RULE_IS = 0,
    MDM_RULE_IS_NOT,
    MDM_RULE_LESS,
    MDM_RULE_AT_MOST,
    MDM_RULE_MORE,
    MDM_RULE_AT_LEAST,
    MDM_RULE_IN,
    MDM_RULE_CONTAINS,
    MDM_RULE_STARTS_WITH,
    MDM_RULE_EXISTS
} mdm_rule_op_e;

/* One value, of a test or of a fact. */
typedef struct mdm_rule_operand_t {
    const char *text;             /* as it is shown */
    int is_number, is_boolean;    /* of JSON; else a text */
    int reads_number;             /* a text of a test that is a number to a fact that is one */
    double number;
} mdm_rule_operand_t;

typedef enum {
    MDM_RULE_LOGIN = 0,
    MDM_RULE_DISPLAY_NAME,
    MDM_RULE_EMAIL,
    MDM_RULE_DISABLED,
    MDM_RULE_ATTRIBUTE,
    MDM_RULE_COLUMN,
    MDM_RULE_FACT
} mdm_rule_source_e;

typedef struct mdm_rule_node_t {
    mdm_rule_node_e kind;
    apr_array_header_t *inner;    /* const mdm_rule_node_t *, of all, any and not */
    /* of a test */
    const char *name;             /* as it was written: "user.title" */
    mdm_rule_source_e source;
    const char *key;              /* of an attribute or a fact */
    mdm_rule_column_e column;
    mdm_rule_op_e op;
    apr_array_header_t *values;   /* mdm_rule_operand_t */
} mdm_rule_node_t;

struct mdm_rule_t {
    const mdm_rule_node_t *root;
    const char *text;
    apr_array_header_t *facts, *watches;        /* const char * */
    int wants_attributes, tests;
};

/** A JSON scalar as an operand. @return 0 when it is none */
int mdm_rule_operand(mdm_rule_operand_t *out, const json_t *json, apr_pool_t *p);

/**
 * Where the value of a name comes from: source, key and column are set.
 * @param fact set to the fact to watch, or NULL
 * @return MDM_EINPUT naming what there is
 */
apr_status_t mdm_rule_source(mdm_rule_node_t *test, const char **fact, mdm_ctx_t *ctx, const char *path);

/** Whether a part of a rule is true. */
int mdm_rule_node_holds(const mdm_rule_node_t *node, const mdm_rule_values_t *values, apr_pool_t *p);

/* What a test finds of its name. */
typedef struct mdm_rule_found_t {
    int known;                                  /* it has a value, maybe one that is no scalar */
    const mdm_rule_operand_t *operands;
    int count;
} mdm_rule_found_t;

void mdm_rule_find(mdm_rule_found_t *found, const mdm_rule_node_t *test, const mdm_rule_values_t *values,
                   apr_pool_t *p);

/** Whether a test is true of what was found. @param which the operand that made it so, -1: none alone */
int mdm_rule_test(int *which, const mdm_rule_node_t *test, const mdm_rule_found_t *found);

#endif
