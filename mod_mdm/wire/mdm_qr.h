/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QR codes (ISO/IEC 18004) of URLs, to be shown on a screen or printed and read by a phone's camera. Pure
 * functions, any thread.
 */
#ifndef MDM_QR_H
#define MDM_QR_H

#include "mdm_bytes.h"
#include "mdm_ctx.h"

/* In bytes; a picture of more is too fine for a camera. */
#define MDM_QR_MAX 1000

/**
 * The QR code of `text`, with error correction M and its quiet zone, as an SVG document: black on white, no
 * script, no reference to anything outside.
 * @return MDM_EINPUT for no text or more than MDM_QR_MAX bytes of it
 */
apr_status_t mdm_qr_svg(const char **svg, mdm_ctx_t *ctx, const char *text);

/** The same as a PNG picture, 8 pixels a module. */
apr_status_t mdm_qr_png(mdm_bytes_t *png, mdm_ctx_t *ctx, const char *text);

#endif
