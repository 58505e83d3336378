/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of an enrollment. Every text that is not a constant of this file is escaped here; pieces are
 * gathered in an array and joined once.
 */
#include <apr_escape.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "mdm_bytes.h"
#include "mdm_html.h"
#include "mod_mdm_enroll_page.h"

#define REFRESH_SECONDS "4"

typedef struct {
    apr_pool_t *p;
    apr_array_header_t *parts;
} page_t;

static const char style[] =
    ":root{color-scheme:light dark;--back:#f5f5f7;--card:#fff;--text:#1d1d1f;--soft:#6e6e73;--line:#d2d2d7;"
    "--blue:#0071e3;--link:#06c;--good:#1d7a33;--bad:#b3000f;--badback:#fff2f0}"
    "@media(prefers-color-scheme:dark){:root{--back:#000;--card:#1c1c1e;--text:#f5f5f7;--soft:#a1a1a6;"
    "--line:#3a3a3c;--link:#2997ff;--good:#30d158;--bad:#ff6961;--badback:#3a1512}}"
    "*{box-sizing:border-box}body{font:17px/1.5 -apple-system,system-ui,sans-serif;margin:0;"
    "color:var(--text);background:var(--back);-webkit-text-size-adjust:100%}"
    "main{max-width:26rem;margin:0 auto;padding:max(1.5rem,6vh) 1rem 3rem}"
    "header{text-align:center;margin:0 0 1.5rem}header p{margin:0;color:var(--soft);font-size:.9rem}"
    "h1{font-size:1.6rem;line-height:1.2;margin:.3rem 0 0}"
    "section{background:var(--card);border-radius:1rem;padding:1.25rem;margin:0 0 1rem;box-shadow:0 1px "
    "3px #0002}section>:first-child{margin-top:0}section>:last-child{margin-bottom:0}"
    "label{display:block;margin:0 0 1rem;font-size:.9rem;color:var(--soft)}"
    "input[type=text],input[type=password]{display:block;width:100%;font:inherit;font-size:17px;"
    "color:var(--text);background:var(--back);border:1px solid var(--line);border-radius:.7rem;"
    "padding:.7rem .8rem;margin:.2rem 0 0}"
    "input:focus,button:focus,a.button:focus{outline:3px solid #0071e366;outline-offset:1px}"
    "input[readonly]{color:var(--soft)}"
    "button,a.button{display:block;width:100%;font:inherit;font-weight:600;text-align:center;"
    "text-decoration:none;"
    "color:#fff;background:var(--blue);border:0;border-radius:.8rem;padding:.8rem;cursor:pointer}"
    "a{color:var(--link)}p.soft{color:var(--soft);font-size:.9rem}"
    ".notice{background:var(--badback);color:var(--bad)}"
    ".terms{white-space:pre-wrap;overflow-wrap:anywhere;max-height:14rem;overflow-y:auto;font-size:.85rem;"
    "border:1px solid var(--line);border-radius:.7rem;padding:.8rem;margin:0 0 .8rem}"
    "label.check{display:flex;gap:.7rem;align-items:center;color:var(--text)}"
    "label.check input{width:1.4rem;height:1.4rem;flex:none;margin:0}"
    "ol{list-style:none;margin:0;padding:0}li{display:flex;gap:.8rem;padding:.45rem 0;color:var(--soft)}"
    "li b{flex:none;width:1.5rem;height:1.5rem;line-height:1.4rem;border-radius:50%;border:1.5px solid "
    "var(--line);text-align:center;font-size:.85rem}li.past{color:var(--text)}"
    "li.past b{background:var(--good);border-color:var(--good);color:#fff}"
    "li.now{color:var(--text);font-weight:600}li.now b{border-color:var(--blue);color:var(--link)}";

static page_t page_new(apr_pool_t *p)
{
    page_t page = { p, apr_array_make(p, 48, sizeof(const char *)) };

    return page;
}

static void put(page_t *page, const char *html)
{
    APR_ARRAY_PUSH(page->parts, const char *) = html;
}

static void put_text(page_t *page, const char *text)
{
    put(page, mdm_html_escape(text, page->p));
}

static void put_path(page_t *page, const char *path)
{
    put_text(page, apr_pescape_path(page->p, path, 0));
}

static void put_head(page_t *page, const char *organization, const char *title, const char *refresh)
{
    put(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\">");
    if (refresh) {
        put(page, "<meta http-equiv=\"refresh\" content=\"");
        put(page, refresh);
        put(page, "\">");
    }
    put(page, "<title>");
    put_text(page, title);
    put(page, "</title><style>");
    put(page, style);
    put(page, "</style></head><body><main><header><p>");
    put_text(page, organization);
    put(page, "</p><h1>");
    put_text(page, title);
    put(page, "</h1></header>");
}

static const char *finish(page_t *page)
{
    put(page, "</main></body></html>\n");
    return apr_array_pstrcat(page->p, page->parts, 0);
}

static void put_login(page_t *page, const mdm_enroll_form_t *form)
{
    put(page, "<label for=\"user\">User name<input type=\"text\" id=\"user\" name=\"user\" "
        "autocomplete=\"username\" "
        "autocapitalize=\"none\" autocorrect=\"off\" spellcheck=\"false\" maxlength=\"255\" required");
    put(page, form->login_fixed ? " readonly" : form->login ? "" : " autofocus");
    if (form->login) {
        put(page, " value=\"");
        put_text(page, form->login);
        put(page, "\"");
    }
    put(page, "></label><label for=\"password\">Password<input type=\"password\" id=\"password\" "
        "name=\"password\" autocomplete=\"current-password\" maxlength=\"1024\" required");
    put(page, form->login ? " autofocus></label>" : "></label>");
}

static void put_terms(page_t *page, const mdm_enroll_form_t *form)
{
    put(page, "<p>Terms of use</p><div class=\"terms\" tabindex=\"0\">");
    put_text(page, form->terms);
    put(page, "</div><label class=\"check\" for=\"terms\"><input type=\"checkbox\" id=\"terms\" "
        "name=\"terms\" required value=\"");
    put_text(page, form->terms_sha256);
    put(page, "\">I have read and accept these terms</label>");
}

const char *mdm_enroll_page_form(const mdm_enroll_form_t *form, apr_pool_t *p)
{
    page_t page = page_new(p);

    put_head(&page, form->organization, "Enroll this device", NULL);
    if (form->notice) {
        put(&page, "<section class=\"notice\" role=\"alert\">");
        put_text(&page, form->notice);
        put(&page, "</section>");
    }
    put(&page, "<section><form method=\"post\" action=\"");
    put_path(&page, form->action);
    put(&page, "\">");
    if (form->password) {
        put_login(&page, form);
    } else {
        put(&page, "<p>You are <strong>");
        put_text(&page, form->login);
        put(&page, "</strong>.</p>");
    }
    if (form->terms)
        put_terms(&page, form);
    put(&page, "<input type=\"hidden\" name=\"token\" value=\"");
    put_text(&page, form->token);
    put(&page, form->password ? "\"><button type=\"submit\">Sign in</button></form></section>"
                              : "\"><button type=\"submit\">Continue</button></form></section>");
    put(&page, "<p class=\"soft\">Afterwards your device asks you to allow a configuration profile. "
        "With it ");
    put_text(&page, form->organization);
    put(&page, form->managed ? " can set up and manage this device.</p>" : " sets up this device.</p>");
    return finish(&page);
}

typedef struct {
    mdm_session_state_e reached;  /* the step is done in this state and later ones */
    int over_the_air;             /* only a step of the Profile Service */
    const char *text;
} step_t;

static const step_t steps[] = {
    { MDM_SESSION_SIGNED_IN, 0, "You have signed in" },
    { MDM_SESSION_OFFERED, 0, "Profile downloaded" },
    { MDM_SESSION_DESCRIBED, 1, "Device recognized" },
    { MDM_SESSION_IDENTIFIED, 0, "Device has its identity" },
    { MDM_SESSION_DELIVERED, 1, "Settings delivered" },
    { MDM_SESSION_DONE, 0, "Device enrolled" },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void put_steps(page_t *page, const mdm_session_t *session)
{
    int now = 1;
    apr_size_t i;

    put(page, "<section><ol>");
    for (i = 0; i < STEPS; i++) {
        int past = session->state >= steps[i].reached;

        if (steps[i].over_the_air && session->method != MDM_SESSION_PROFILE_SERVICE)
            continue;
        put(page, past ? "<li class=\"past\"><b>\xe2\x9c\x93</b>"
                       : now ? "<li class=\"now\" aria-current=\"step\"><b>\xe2\x80\xa6</b>" : "<li><b></b>");
        put(page, steps[i].text);
        put(page, "</li>");
        now = past ? now : 0;
    }
    put(page, "</ol></section>");
}

static void put_download(page_t *page, const char *base, const mdm_session_t *session)
{
    put(page, "<section>");
    if (session->state >= MDM_SESSION_OFFERED)
        put(page, "<p>Now open <strong>Settings</strong>, tap <strong>Profile Downloaded</strong> and then "
            "<strong>Install</strong>. On a Mac open the downloaded file, then look under Privacy &amp; "
            "Security or General for Profiles or Device Management.</p><p class=\"soft\">Nothing there? "
            "Download it once more.</p>");
    else
        put(page, "<p>Download the profile and tap <strong>Allow</strong>.</p>");
    put(page, "<a class=\"button\" href=\"");
    put_path(page, base);
    put(page, "/profile\">Download the profile</a></section>");
}

const char *mdm_enroll_page_progress(const char *organization, const char *base, const mdm_session_t *session,
                                     apr_pool_t *p)
{
    page_t page = page_new(p);
    int done = session->state == MDM_SESSION_DONE;

    put_head(&page, organization, done ? "All done" : "Enroll this device", done ? NULL : REFRESH_SECONDS);
    if (done)
        put(&page, "<section><p>Your device has reported that it is enrolled. You can close this "
            "page.</p></section>");
    else if (session->state <= MDM_SESSION_OFFERED)
        put_download(&page, base, session);
    put_steps(&page, session);
    if (!done)
        put(&page, "<p class=\"soft\">This page shows by itself how far your device is.</p>");
    return finish(&page);
}

const char *mdm_enroll_page_message(const char *organization, const char *title, const char *text,
                                    const char *href, const char *label, apr_pool_t *p)
{
    page_t page = page_new(p);

    put_head(&page, organization, title, NULL);
    put(&page, "<section><p>");
    put_text(&page, text);
    put(&page, "</p>");
    if (href) {
        put(&page, "<p><a href=\"");
        put_text(&page, href);
        put(&page, "\">");
        put_text(&page, label);
        put(&page, "</a></p>");
    }
    put(&page, "</section>");
    return finish(&page);
}

const char *mdm_enroll_page_policy(apr_pool_t *p)
{
    const char *hex = mdm_sha256_hex(mdm_bytes_of(style), p);
    unsigned char digest[MDM_SHA256_LEN];
    mdm_bytes_t bytes = { digest, sizeof(digest) };

    if (apr_unescape_hex(digest, hex, APR_ESCAPE_STRING, 0, NULL) != APR_SUCCESS)
        return "default-src 'none'";
    return apr_pstrcat(p, "default-src 'none'; style-src 'sha256-", mdm_base64_encode(bytes, p),
                       "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", NULL);
}
