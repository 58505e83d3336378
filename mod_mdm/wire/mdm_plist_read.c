/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's XML property lists into our tree; binary ones go to mdm_plist_binary.c. Called for each device request,
 * in any thread, on hostile bytes.
 * libxml2 only cuts the text into elements (SAX2) and builds no tree; every limit and rule of the format is
 * ours. It never opens a file or the network, expands no entity beyond the five of XML, writes nothing to
 * stderr, and leaves libxml2's process-wide settings as they are, for other modules use that library too.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "mdm_plist.h"
#include "mdm_plist_binary.h"
#include "mdm_plist_text.h"
#include "mdm_plist_value.h"

#define SMALL_TEXT 1024

/* The encoding is settled before libxml2 sees the text: a name out of the document never reaches iconv. */
#if LIBXML_VERSION >= 21300
#define PARSE_OPTIONS (XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_NO_XXE)
#else
#define PARSE_OPTIONS (XML_PARSE_NONET | XML_PARSE_IGNORE_ENC)
#endif

typedef struct {
    const char *name;
    mdm_plist_type_e type;     /* UNSET: a key */
    int truth;
} element_t;

static const element_t elements[] = {
    { "key", MDM_PLIST_UNSET, 0 },       { "string", MDM_PLIST_STRING, 0 }, { "dict", MDM_PLIST_DICT, 0 },
    { "data", MDM_PLIST_DATA, 0 },       { "array", MDM_PLIST_ARRAY, 0 },   { "true", MDM_PLIST_BOOLEAN, 1 },
    { "integer", MDM_PLIST_INTEGER, 0 }, { "false", MDM_PLIST_BOOLEAN, 0 }, { "date", MDM_PLIST_DATE, 0 },
    { "real", MDM_PLIST_REAL, 0 },
};

typedef struct {
    xmlParserCtxtPtr xml;
    apr_pool_t *pool;
    const char *wrong;             /* the first refusal, NULL so far */
    int line;                      /* where it was */
    int opened;                    /* the plist element has begun */
    mdm_plist_t *root;
    mdm_plist_t *stack[MDM_PLIST_MAX_DEPTH];
    int depth;                     /* open containers */
    apr_size_t nodes;
    const char *key;               /* read, its value not yet begun */
    const element_t *leaf;         /* a key or value whose text is being collected */
    mdm_plist_t *value;            /* the leaf's node; NULL for a key */
    char *text;                    /* the leaf's text: `small`, or one heap block as long as the document */
    apr_size_t text_len, text_size, document_len;
    char small[SMALL_TEXT];
} reader_t;

static void refuse(reader_t *rd, const char *wrong)
{
    if (rd->wrong)
        return;
    rd->wrong = wrong;
    rd->line = rd->xml->input ? rd->xml->input->line : 0;
    xmlStopParser(rd->xml);
}

#if LIBXML_VERSION >= 21200
static void on_error(void *baton, const xmlError *error)
#else
static void on_error(void *baton, xmlErrorPtr error)
#endif
{
    reader_t *rd = baton;

    if (rd->wrong || error->level < XML_ERR_ERROR)
        return;
    /* Not stopped here, in the midst of libxml2's own work: it calls no handlers after a fatal error. */
    rd->wrong = error->level == XML_ERR_FATAL ? "the XML is malformed or cut off" : "the XML is not valid";
    rd->line = error->line;
}

static void on_doctype(void *baton, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
    reader_t *rd = baton;

    (void)name;
    (void)public_id;
    (void)system_id;
    /* Called for every DOCTYPE, before libxml2 goes into the subset; the next byte tells if there is one. */
    if (rd->xml->input && *rd->xml->input->cur == '[')
        refuse(rd, "a DOCTYPE with an internal subset is not accepted");
}

static void on_entity_declaration(void *baton, const xmlChar *name, int type, const xmlChar *public_id,
                                  const xmlChar *system_id, xmlChar *content)
{
    (void)name;
    (void)type;
    (void)public_id;
    (void)system_id;
    (void)content;
    refuse(baton, "an entity declaration is not accepted");
}

static xmlEntityPtr on_entity(void *baton, const xmlChar *name)
{
    (void)name;
    refuse(baton, "an entity other than the five of XML is not accepted");
    return NULL;
}

static void on_reference(void *baton, const xmlChar *name)
{
    (void)on_entity(baton, name);
}

static void on_instruction(void *baton, const xmlChar *target, const xmlChar *data)
{
    (void)target;
    (void)data;
    refuse(baton, "a processing instruction is not accepted");
}

static const element_t *find_element(const char *name)
{
    apr_size_t i;

    for (i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
        if (elements[i].name[0] == name[0] && strcmp(elements[i].name, name) == 0)
            return &elements[i];
    }
    return NULL;
}

static mdm_plist_t *top_of(const reader_t *rd)
{
    return rd->depth ? rd->stack[rd->depth - 1] : NULL;
}

static void open_leaf(reader_t *rd, const element_t *element, mdm_plist_t *value)
{
    rd->leaf = element;
    rd->value = value;
    rd->text_len = 0;
}

static void open_key(reader_t *rd, const element_t *element)
{
    const mdm_plist_t *top = top_of(rd);

    if (!top || top->type != MDM_PLIST_DICT)
        refuse(rd, "a key is outside of a dictionary");
    else if (rd->key)
        refuse(rd, "a key has no value");
    else
        open_leaf(rd, element, NULL);
}

static void open_value(reader_t *rd, const element_t *element)
{
    mdm_plist_t *top = top_of(rd), *value;
    int is_container = element->type == MDM_PLIST_DICT || element->type == MDM_PLIST_ARRAY;

    if (top ? top->type == MDM_PLIST_DICT && !rd->key : rd->root != NULL) {
        refuse(rd, top ? "a value has no key" : "there is more than one root value");
        return;
    }
    if (rd->nodes++ == MDM_PLIST_MAX_NODES) {
        refuse(rd, "there are too many values");
        return;
    }
    if (is_container && rd->depth == MDM_PLIST_MAX_DEPTH) {
        refuse(rd, "there are too many levels");
        return;
    }
    value = apr_pcalloc(rd->pool, sizeof(*value));
    value->type = element->type;
    value->integer = element->truth;
    value->key = rd->key;
    rd->key = NULL;
    if (top)
        mdm_plist_append(top, value);
    else
        rd->root = value;
    if (is_container)
        rd->stack[rd->depth++] = value;
    else
        open_leaf(rd, element, value);
}

static void open_root(reader_t *rd, const char *name, int attributes, const xmlChar **attribute)
{
    if (strcmp(name, "plist") != 0)
        refuse(rd, "the root element is not plist");
    else if (attributes > 1
             || (attributes && (attribute[1] || strcmp((const char *)attribute[0], "version") != 0)))
        refuse(rd, "the plist element has an attribute other than version");
    rd->opened = 1;
}

static void on_open(void *baton, const xmlChar *local_name, const xmlChar *prefix, const xmlChar *uri,
                    int namespaces, const xmlChar **name_space, int attributes, int defaulted,
                    const xmlChar **attribute)
{
    reader_t *rd = baton;
    const char *name = (const char *)local_name;
    const element_t *element;

    (void)name_space;
    (void)defaulted;
    if (rd->wrong)
        return;
    if (prefix || uri || namespaces)
        refuse(rd, "an XML namespace is not accepted");
    else if (!rd->opened)
        open_root(rd, name, attributes, attribute);
    else if (attributes)
        refuse(rd, "an element has an attribute");
    else if (rd->leaf)
        refuse(rd, "an element is inside of a key or a simple value");
    else if (!(element = find_element(name)))
        refuse(rd, "an element is not known");
    else if (element->type == MDM_PLIST_UNSET)
        open_key(rd, element);
    else
        open_value(rd, element);
}

static void close_leaf(reader_t *rd)
{
    const char *wrong = NULL;

    if (rd->value)
        wrong = mdm_plist_value_read(rd->value, rd->text, rd->text_len, rd->pool);
    else
        rd->key = apr_pstrmemdup(rd->pool, rd->text, rd->text_len);
    rd->leaf = NULL;
    if (wrong)
        refuse(rd, wrong);
}

static void on_close(void *baton, const xmlChar *local_name, const xmlChar *prefix, const xmlChar *uri)
{
    reader_t *rd = baton;
    const mdm_plist_t *top = top_of(rd);
    const char *wrong = NULL;

    (void)local_name;
    (void)prefix;
    (void)uri;
    if (rd->wrong)
        return;
    if (rd->leaf) {
        close_leaf(rd);
        return;
    }
    if (rd->key)
        wrong = "a key has no value";
    else if (top && top->type == MDM_PLIST_DICT)
        wrong = mdm_plist_value_check_keys(top);
    if (wrong)
        refuse(rd, wrong);
    else if (top)
        rd->depth--;
}

static int make_room(reader_t *rd, apr_size_t len)
{
    char *larger;

    if (len <= rd->text_size - rd->text_len)
        return 1;
    /* No text is longer than its document, so this happens at most once. */
    if (rd->text != rd->small || len > rd->document_len - rd->text_len)
        return 0;
    larger = malloc(rd->document_len);
    if (!larger)
        return 0;
    memcpy(larger, rd->text, rd->text_len);
    rd->text = larger;
    rd->text_size = rd->document_len;
    return 1;
}

static void on_text(void *baton, const xmlChar *text, int len)
{
    reader_t *rd = baton;
    int i;

    if (rd->wrong)
        return;
    if (rd->leaf) {
        if (!make_room(rd, (apr_size_t)len)) {
            refuse(rd, "no memory for a text");
            return;
        }
        memcpy(rd->text + rd->text_len, text, (apr_size_t)len);
        rd->text_len += (apr_size_t)len;
        return;
    }
    for (i = 0; i < len; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\n' && text[i] != '\r') {
            refuse(rd, "there is text between elements");
            return;
        }
    }
}

static const xmlSAXHandler handlers = {
    .initialized = XML_SAX2_MAGIC,
    .internalSubset = on_doctype,
    .entityDecl = on_entity_declaration,
    .getEntity = on_entity,
    .getParameterEntity = on_entity,
    .reference = on_reference,
    .processingInstruction = on_instruction,
    .startElementNs = on_open,
    .endElementNs = on_close,
    .characters = on_text,
    .ignorableWhitespace = on_text,
    .cdataBlock = on_text,
    .serror = on_error,
};

static apr_status_t parse(reader_t *rd, mdm_bytes_t text)
{
    xmlSAXHandler sax = handlers;

    /* A push parser, although there is but one chunk: it asks for no more input near the end of the text. */
    rd->xml = xmlCreatePushParserCtxt(&sax, rd, NULL, 0, NULL);
    if (!rd->xml)
        return APR_ENOMEM;
    xmlCtxtUseOptions(rd->xml, PARSE_OPTIONS);
    xmlParseChunk(rd->xml, (const char *)text.data, (int)text.len, 1);
    if (!rd->wrong && !rd->xml->wellFormed)
        rd->wrong = "the XML is malformed or cut off";
    xmlFreeParserCtxt(rd->xml);
    if (rd->text != rd->small)
        free(rd->text);
    return APR_SUCCESS;
}

static apr_status_t read_binary(mdm_plist_t **root, mdm_ctx_t *ctx, mdm_bytes_t bytes)
{
    mdm_plist_t *read = NULL;
    const char *wrong = mdm_plist_binary_read(&read, bytes, ctx->pool);

    if (wrong)
        return mdm_fail(ctx, MDM_EPLIST, "the binary property list is refused: %s", wrong);
    *root = read;
    return APR_SUCCESS;
}

static apr_status_t check_size(mdm_ctx_t *ctx, mdm_bytes_t text)
{
    if (text.len > MDM_PLIST_MAX_BYTES)
        return mdm_fail(ctx, MDM_ETOOBIG, "the property list is larger than %d bytes", MDM_PLIST_MAX_BYTES);
    return APR_SUCCESS;
}

void mdm_plist_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, xmlInitParser);
}

apr_status_t mdm_plist_read(mdm_plist_t **root, mdm_ctx_t *ctx, mdm_bytes_t text)
{
    static const unsigned char mark[3] = { 0xef, 0xbb, 0xbf };
    reader_t rd;
    const char *wrong;
    apr_status_t rv;

    if (text.len >= sizeof(mark) && !memcmp(text.data, mark, sizeof(mark))) {
        text.data += sizeof(mark);
        text.len -= sizeof(mark);
    }
    if ((rv = check_size(ctx, text)) != APR_SUCCESS)
        return rv;
    if (mdm_plist_is_binary(text))
        return read_binary(root, ctx, text);
    wrong = mdm_plist_text_check(text);
    if (wrong)
        return mdm_fail(ctx, MDM_EPLIST, "the property list is refused: %s", wrong);
    mdm_plist_init();
    memset(&rd, 0, offsetof(reader_t, small));
    rd.pool = ctx->pool;
    rd.text = rd.small;
    rd.text_size = sizeof(rd.small);
    rd.document_len = text.len;
    rv = parse(&rd, text);
    if (rv != APR_SUCCESS)
        return mdm_fail(ctx, rv, "no memory to read a property list");
    if (rd.wrong)
        return mdm_fail(ctx, MDM_EPLIST, "the property list is refused: line %d: %s", rd.line, rd.wrong);
    if (!rd.root)
        return mdm_fail(ctx, MDM_EPLIST, "the property list is refused: it holds no value");
    *root = rd.root;
    return APR_SUCCESS;
}

apr_status_t mdm_plist_text_of(mdm_bytes_t *text, mdm_ctx_t *ctx, mdm_bytes_t original, const mdm_plist_t *root)
{
    apr_status_t rv;

    if (!mdm_plist_is_binary(original)) {
        *text = original;
        return APR_SUCCESS;
    }
    rv = mdm_plist_write(text, ctx, root);
    return rv == APR_SUCCESS ? check_size(ctx, *text) : rv;
}
