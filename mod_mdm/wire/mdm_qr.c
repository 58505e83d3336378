/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QR codes: libqrencode finds the modules, libpng writes the one kind of picture. Called by the API and
 * mdmctl for the URLs of invitations, in any thread. Text that becomes a picture is never logged.
 */
#include <string.h>

#include <apr_strings.h>
#include <png.h>
#include <qrencode.h>

#include "mdm_qr.h"

#define QUIET 4           /* modules of white around the code that readers need */
#define PIXELS 8          /* a module's side in the PNG */
#define RUN_ROOM 40       /* of the text for one run of black modules, "M170 170h170v1h-170z" */

typedef struct {
    const unsigned char *modules;
    int width;                /* modules a side */
} code_t;

static apr_status_t free_code(void *code)
{
    QRcode_free(code);
    return APR_SUCCESS;
}

static apr_status_t encode(code_t *code, mdm_ctx_t *ctx, const char *text)
{
    QRcode *made;

    if (!text || !*text || strlen(text) > MDM_QR_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "a QR code takes a text of 1 to %d bytes", MDM_QR_MAX);
    made = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    if (!made)
        return mdm_fail(ctx, APR_ENOMEM, "the QR code cannot be made");
    apr_pool_cleanup_register(ctx->pool, made, free_code, apr_pool_cleanup_null);
    code->modules = made->data;
    code->width = made->width;
    return APR_SUCCESS;
}

static int black(const code_t *code, int x, int y)
{
    return x < code->width && code->modules[y * code->width + x] & 1;
}

apr_status_t mdm_qr_svg(const char **svg, mdm_ctx_t *ctx, const char *text)
{
    code_t code = { NULL, 0 };
    apr_status_t rv = encode(&code, ctx, text);
    char *path, *end;
    apr_size_t room;
    int x, y, run, side;

    if (rv != APR_SUCCESS)
        return rv;
    side = code.width + 2 * QUIET;
    room = (apr_size_t)code.width * (apr_size_t)(code.width / 2 + 1) * RUN_ROOM;
    path = end = apr_palloc(ctx->pool, room);
    *end = '\0';
    for (y = 0; y < code.width; y++) {
        for (x = 0; x < code.width; x += run + 1) {
            for (run = 0; black(&code, x + run, y); run++)
                continue;
            if (run)
                end += apr_snprintf(end, RUN_ROOM, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, run, run);
        }
    }
    *svg = apr_psprintf(ctx->pool, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                        "viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">"
                        "<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path d=\"%s\"/></svg>\n",
                        side * PIXELS, side * PIXELS, side, side, side, side, path);
    return APR_SUCCESS;
}

static unsigned char *paint(const code_t *code, int side, apr_pool_t *p)
{
    apr_size_t size = (apr_size_t)side * (apr_size_t)side;
    unsigned char *pixels = apr_palloc(p, size);
    int x, y;

    memset(pixels, 0xff, size);
    for (y = 0; y < code->width * PIXELS; y++) {
        unsigned char *row = pixels + (y + QUIET * PIXELS) * side + QUIET * PIXELS;

        for (x = 0; x < code->width; x++) {
            if (black(code, x, y / PIXELS))
                memset(row + x * PIXELS, 0, PIXELS);
        }
    }
    return pixels;
}

apr_status_t mdm_qr_png(mdm_bytes_t *png, mdm_ctx_t *ctx, const char *text)
{
    code_t code = { NULL, 0 };
    apr_status_t rv = encode(&code, ctx, text);
    png_image image;
    png_alloc_size_t size;
    unsigned char *out;
    int side;

    if (rv != APR_SUCCESS)
        return rv;
    side = (code.width + 2 * QUIET) * PIXELS;
    memset(&image, 0, sizeof(image));
    image.version = PNG_IMAGE_VERSION;
    image.width = image.height = (png_uint_32)side;
    image.format = PNG_FORMAT_GRAY;
    size = PNG_IMAGE_PNG_SIZE_MAX(image);
    out = apr_palloc(ctx->pool, size);
    if (!png_image_write_to_memory(&image, out, &size, 0, paint(&code, side, ctx->pool), side, NULL)) {
        png_image_free(&image);
        return mdm_fail(ctx, APR_ENOMEM, "the picture of the QR code cannot be made: %s", image.message);
    }
    png->data = out;
    png->len = size;
    return APR_SUCCESS;
}
