/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports as HTML: plain tables that work without script, on a phone as on a wall. Pieces are gathered in
 * an array and joined once.
 */
#include <apr_escape.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "mod_mdm_page.h"

typedef struct {
    apr_pool_t *p;
    apr_array_header_t *parts;
} page_t;

static const char style[] =
    "body{font:15px/1.5 -apple-system,system-ui,sans-serif;margin:0;color:#1d1d1f;background:#f5f5f7}"
    "header{background:#1d1d1f;color:#fff;padding:1rem 2rem}header h1{font-size:1.25rem;margin:0}"
    "header p{margin:0;color:#a1a1a6;font-size:.85rem}header a{color:#fff}"
    "main{padding:1rem 2rem 3rem;max-width:80rem;margin:auto}"
    ".cards{display:flex;flex-wrap:wrap;gap:1rem}"
    "section{background:#fff;border-radius:.8rem;padding:1rem 1.2rem;margin:0 0 1rem;"
    "box-shadow:0 1px 3px #0002}"
    ".cards section{flex:1 1 15rem;margin:0}"
    "h2{font-size:1rem;margin:0 0 .5rem}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.25rem .6rem .25rem 0;vertical-align:top;border-bottom:1px solid #e8e8ed}"
    "th{font-weight:500;color:#6e6e73}td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "tr:last-child>*{border-bottom:0}.wide{overflow-x:auto}"
    ".alert{background:#fff2f0;border-left:.3rem solid #d70015}.none{color:#6e6e73}"
    ".state{border-radius:1rem;padding:0 .6rem;background:#e8e8ed}.enrolled{background:#d5f5dc}"
    "code{font-size:.85em}a{color:#06c;text-decoration:none}";

static page_t page_new(apr_pool_t *p)
{
    page_t page = { p, apr_array_make(p, 64, sizeof(const char *)) };

    return page;
}

static void put(page_t *page, const char *html)
{
    APR_ARRAY_PUSH(page->parts, const char *) = html;
}

static void put_text(page_t *page, const char *text)
{
    const char *safe = text ? apr_pescape_entity(page->p, text, 0) : "";

    /* What needs no escape comes back as it is, and its JSON may be gone before the page is joined. */
    put(page, safe == text ? apr_pstrdup(page->p, text) : safe);
}

/* Any JSON value in a table cell: scalars as they are, the rest as compact JSON. */
static void put_value(page_t *page, const json_t *value)
{
    char *text;

    if (json_is_string(value)) {
        put_text(page, json_string_value(value));
    } else if (json_is_boolean(value)) {
        put(page, json_is_true(value) ? "yes" : "no");
    } else if (value && !json_is_null(value)) {
        text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        put_text(page, text ? apr_pstrdup(page->p, text) : NULL);
        free(text);
    }
}

static void put_counts(page_t *page, const char *title, const json_t *counts)
{
    const char *name;
    json_t *value;

    put(page, "<section><h2>");
    put(page, title);
    put(page, "</h2>");
    if (!json_object_size(counts))
        put(page, "<p class=\"none\">none</p>");
    put(page, "<table>");
    json_object_foreach((json_t *)counts, name, value) {
        put(page, "<tr><th>");
        put_text(page, name);
        put(page, "</th><td class=\"n\">");
        put_value(page, value);
        put(page, "</td></tr>");
    }
    put(page, "</table></section>");
}

static void put_alerts(page_t *page, const json_t *alerts)
{
    size_t i;

    for (i = 0; i < json_array_size(alerts); i++) {
        put(page, "<section class=\"alert\" role=\"alert\">");
        put_value(page, json_array_get(alerts, i));
        put(page, "</section>");
    }
}

static void put_topic_row(page_t *page, const char *name, const json_t *item)
{
    put(page, "<tr><td><code>");
    put_text(page, name);
    put(page, "</code></td><td>");
    put_value(page, json_object_get(item, "not_after"));
    put(page, "</td><td class=\"n\">");
    put_value(page, json_object_get(item, "days_left"));
    put(page, "</td></tr>");
}

static void put_authorities(page_t *page, const json_t *report)
{
    const json_t *topics = json_object_get(report, "push_certificates"), *ca = json_object_get(report, "ca");
    size_t i;

    put(page, "<section class=\"wide\"><h2>Push certificates and identity CA</h2>"
        "<table><tr><th>Topic or subject</th><th>Ends</th><th>Days left</th></tr>");
    for (i = 0; i < json_array_size(topics); i++)
        put_topic_row(page, json_string_value(json_object_get(json_array_get(topics, i), "topic")),
                      json_array_get(topics, i));
    put_topic_row(page, json_string_value(json_object_get(ca, "subject")), ca);
    put(page, "</table></section>");
}

static void put_figures(page_t *page, const json_t *report)
{
    json_t *pushes = json_deep_copy(json_object_get(report, "pushes"));

    if (pushes)
        json_object_set(pushes, "due now", json_object_get(report, "pushes_due"));
    put(page, "<div class=\"cards\">");
    put_counts(page, "Enrollments by state", json_object_get(report, "enrollments"));
    put_counts(page, "Open commands by age", json_object_get(report, "open_commands"));
    put_counts(page, "Last pushes by reason", pushes);
    put_counts(page, "Device certificates by days left", json_object_get(report, "certificates"));
    put_counts(page, "Identities in use that end", json_object_get(report, "identities"));
    put(page, "</div><br>");
    put_authorities(page, report);
    json_decref(pushes);
}

static void put_state(page_t *page, const json_t *enrollment)
{
    const char *state = json_string_value(json_object_get(enrollment, "state"));

    put(page, "<span class=\"state ");
    put_text(page, state);
    put(page, "\">");
    put_text(page, state);
    put(page, "</span>");
}

/* The answers worth a glance in a list; the device's own page has all. */
static void put_information(page_t *page, const json_t *information)
{
    static const char *const names[] = {
        "DeviceName", "ProductName", "OSVersion", "BatteryLevel", "WiFiMAC", NULL
    };
    const char *const *name;

    for (name = names; *name; name++) {
        json_t *value = json_object_get(information, *name);

        if (!value)
            continue;
        put(page, *name);
        put(page, " ");
        put_value(page, value);
        put(page, name[1] ? "<br>" : "");
    }
}

static void put_device_row(page_t *page, const json_t *device)
{
    static const char *const columns[] = {
        "user", "model", "serial_number", "os_version", "last_seen_at", NULL
    };
    const char *id = json_string_value(json_object_get(device, "enrollment_id"));
    const char *const *column;

    put(page, "<tr><td><a href=\"?id=");
    put_text(page, apr_pescape_urlencoded(page->p, id));
    put(page, "\"><code>");
    put_text(page, id);
    put(page, "</code></a></td><td>");
    put_state(page, device);
    put(page, "</td>");
    for (column = columns; *column; column++) {
        put(page, "<td>");
        put_value(page, json_object_get(device, *column));
        put(page, "</td>");
    }
    put(page, "<td>");
    put_information(page, json_object_get(device, "device_information"));
    put(page, "</td></tr>");
}

static void put_devices(page_t *page, const json_t *devices)
{
    size_t i;

    put(page, "<section class=\"wide\"><h2>Newest enrollments</h2>");
    if (!json_array_size(devices)) {
        put(page, "<p class=\"none\">No device has enrolled yet.</p></section>");
        return;
    }
    put(page, "<table><tr><th>Enrollment</th><th>State</th><th>User</th><th>Model</th><th>Serial number</th>"
        "<th>OS</th><th>Last seen (UTC)</th><th>DeviceInformation</th></tr>");
    for (i = 0; i < json_array_size(devices); i++)
        put_device_row(page, json_array_get(devices, i));
    put(page, "</table></section>");
}

static void put_ending(page_t *page, const json_t *endings)
{
    static const char *const columns[] = {
        "device_name", "serial_number", "user", "not_after", "attempts", "next_attempt_at", "last_error", NULL
    };
    const char *const *column;
    size_t i;

    if (!json_array_size(endings))
        return;
    put(page, "<section class=\"wide\"><h2>Identities that end</h2>"
        "<table><tr><th>Enrollment</th><th>Device</th><th>Serial number</th><th>User</th>"
        "<th>Ends (UTC)</th><th>Attempts</th><th>Next attempt</th><th>Last error</th></tr>");
    for (i = 0; i < json_array_size(endings); i++) {
        const json_t *ending = json_array_get(endings, i);
        const char *id = json_string_value(json_object_get(ending, "enrollment_id"));

        put(page, "<tr><td><a href=\"?id=");
        put_text(page, apr_pescape_urlencoded(page->p, id));
        put(page, "\"><code>");
        put_text(page, id);
        put(page, "</code></a></td>");
        for (column = columns; *column; column++) {
            put(page, "<td>");
            put_value(page, json_object_get(ending, *column));
            put(page, !strcmp(*column, "not_after") && json_is_true(json_object_get(ending, "expired"))
                          ? " (expired)</td>" : "</td>");
        }
        put(page, "</tr>");
    }
    put(page, "</table></section>");
}

/* A table of some members of each object of an array. */
static void put_rows(page_t *page, const char *title, const char *head, const char *const *columns, const json_t *rows)
{
    const char *const *column;
    size_t i;

    if (!json_array_size(rows))
        return;
    put(page, "<section class=\"wide\"><h2>");
    put(page, title);
    put(page, "</h2><table>");
    put(page, head);
    for (i = 0; i < json_array_size(rows); i++) {
        put(page, "<tr>");
        for (column = columns; *column; column++) {
            put(page, "<td>");
            put_value(page, json_object_get(json_array_get(rows, i), *column));
            put(page, "</td>");
        }
        put(page, "</tr>");
    }
    put(page, "</table></section>");
}

static void put_stuck(page_t *page, const json_t *stuck)
{
    static const char *const columns[] = { "enrollment_id", "text", "since", NULL };

    put_rows(page, "Stuck", "<tr><th>Enrollment</th><th>Why</th><th>Since (UTC)</th></tr>", columns, stuck);
}

static void put_passcodes(page_t *page, const json_t *devices)
{
    static const char *const columns[] = { "enrollment_id", "user", "since", NULL };

    put_rows(page, "Passcodes that do not comply with their profiles",
             "<tr><th>Enrollment</th><th>User</th><th>Since (UTC)</th></tr>", columns, devices);
}

/* "12 on v3, 2 on v2" */
static const char *installed_text(apr_pool_t *p, const json_t *profile)
{
    const json_t *most = json_object_get(profile, "more_than"), *installed = json_object_get(profile, "installed");
    const char *version, *text = "";
    json_t *count;

    if (most)
        return apr_psprintf(p, "more than %d: GET v1/profiles/NAME/devices counts them", (int)json_integer_value(most));
    json_object_foreach((json_t *)installed, version, count)
        text = apr_psprintf(p, "%s%s%d on v%s", text, *text ? ", " : "", (int)json_integer_value(count), version);
    return text;
}

static void put_profile_versions(page_t *page, const json_t *profiles)
{
    static const char *const columns[] = { "profile", "version", "installed", "waiting", "failed", "drifted", "blocked",
                                           "removing", NULL };
    json_t *rows = json_array();
    size_t i;

    for (i = 0; i < json_array_size(profiles); i++) {
        json_t *row = json_copy(json_array_get(profiles, i));

        json_object_set_new(row, "installed", json_string(installed_text(page->p, row)));
        json_array_append_new(rows, row);
    }
    put_rows(page, "Profiles changed last", "<tr><th>Profile</th><th>Current version</th><th>On devices</th>"
             "<th>Waiting</th><th>Failed</th><th>Drifted</th><th>Blocked</th><th>Being removed</th></tr>", columns,
             rows);
    json_decref(rows);
}

static void put_profiles(page_t *page, const json_t *profiles)
{
    static const char *const columns[] = { "profile", "version", "state", "drift", "error", "verified_at", "reason",
                                           NULL };
    static const char *const flags[] = { "identifier", "kind", "display_name", "managed", "encrypted",
                                         "removal_disallowed", NULL };
    json_t *observed = json_array(), *copy;
    const json_t *rows = json_object_get(profiles, "profiles"), *others = json_object_get(profiles, "others");
    size_t i;

    put_rows(page, "Profiles", "<tr><th>Profile</th><th>Version</th><th>State</th><th>Drift</th><th>Error</th>"
             "<th>Verified (UTC)</th><th>Why</th></tr>", columns, rows);
    for (i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        if (!json_object_get(row, "observed"))
            continue;
        copy = json_copy(json_object_get(row, "observed"));
        json_object_set(copy, "identifier", json_object_get(row, "identifier"));
        json_object_set_new(copy, "kind", json_string("ours"));
        json_array_append_new(observed, copy);
    }
    json_array_extend(observed, (json_t *)others);
    put_rows(page, "Profiles on the device", "<tr><th>Identifier</th><th>Kind</th><th>Name</th><th>Managed</th>"
             "<th>Encrypted</th><th>Removal disallowed</th></tr>", flags, observed);
    json_decref(observed);
}

static void put_head(page_t *page, const char *title, const char *below)
{
    put(page, "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\"><title>");
    put_text(page, title);
    put(page, "</title><style>");
    put(page, style);
    put(page, "</style></head><body><header><h1>");
    put_text(page, title);
    put(page, "</h1><p>");
    put(page, below);
    put(page, "</p></header><main>");
}

static const char *finish(page_t *page)
{
    put(page, "</main></body></html>\n");
    return apr_array_pstrcat(page->p, page->parts, 0);
}

static const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text ? text : "";
}

const char *mdm_page_status(apr_pool_t *p, const json_t *report)
{
    page_t page = page_new(p);

    put_head(&page, apr_pstrcat(p, text_of(report, "organization"), " device management", NULL),
             apr_pstrcat(p, "mod_mdm ", text_of(report, "version"), " at ", text_of(report, "time"), " UTC",
                         NULL));
    put_alerts(&page, json_object_get(report, "alerts"));
    if (json_object_get(report, "enrollments")) {
        put_figures(&page, report);
        put_ending(&page, json_object_get(report, "ending_identities"));
        put_stuck(&page, json_object_get(report, "stuck"));
        put_passcodes(&page, json_object_get(report, "passcodes_not_compliant"));
        put_profile_versions(&page, json_object_get(report, "profile_versions"));
        put_devices(&page, json_object_get(report, "devices"));
    }
    return finish(&page);
}

const char *mdm_page_section(apr_pool_t *p, const json_t *report)
{
    page_t page = page_new(p);

    put(&page, "<hr><h2>Apple device management (mod_mdm)</h2>");
    put_alerts(&page, json_object_get(report, "alerts"));
    if (json_object_get(report, "enrollments"))
        put_figures(&page, report);
    return apr_array_pstrcat(p, page.parts, 0);
}

static void put_members(page_t *page, const char *title, const json_t *object)
{
    const char *name;
    json_t *value;

    put(page, "<section class=\"wide\"><h2>");
    put_text(page, title);
    put(page, "</h2><table>");
    json_object_foreach((json_t *)object, name, value) {
        put(page, "<tr><th>");
        put_text(page, name);
        put(page, "</th><td>");
        put_value(page, value);
        put(page, "</td></tr>");
    }
    put(page, "</table></section>");
}

static void put_facts(page_t *page, const json_t *reported)
{
    json_t *facts = json_copy((json_t *)reported), *value;
    const char *name;

    json_object_foreach(facts, name, value) {
        if (json_is_null(value))
            json_object_set_new(facts, name, json_string("not reported"));
    }
    put_members(page, "Reported at enrollment", facts);
    json_decref(facts);
}

static void put_queue(page_t *page, const json_t *queue)
{
    size_t i;

    put(page, "<section class=\"wide\"><h2>Open commands</h2>");
    if (!json_array_size(queue))
        put(page, "<p class=\"none\">none</p>");
    put(page, "<table>");
    for (i = 0; i < json_array_size(queue); i++) {
        const json_t *item = json_array_get(queue, i);

        put(page, "<tr><td>");
        put_value(page, json_object_get(item, "request_type"));
        put(page, "</td><td>");
        put_value(page, json_object_get(item, "state"));
        put(page, "</td><td>");
        put_value(page, json_object_get(item, "queued_at"));
        put(page, "</td><td><code>");
        put_value(page, json_object_get(item, "command_uuid"));
        put(page, "</code></td></tr>");
    }
    put(page, "</table></section>");
}

const char *mdm_page_enrollment(apr_pool_t *p, const char *organization, const json_t *enrollment)
{
    page_t page = page_new(p);
    json_t *facts = json_copy((json_t *)enrollment);

    json_object_del(facts, "open_commands");
    json_object_del(facts, "device_information");
    json_object_del(facts, "device_facts");
    json_object_del(facts, "identity");
    json_object_del(facts, "profiles");
    json_object_del(facts, "alerts");
    put_head(&page, text_of(enrollment, "enrollment_id"),
             apr_pstrcat(p, "<a href=\"?\">", apr_pescape_entity(p, organization, 0),
                         " device management</a>", NULL));
    put_alerts(&page, json_object_get(enrollment, "alerts"));
    put_members(&page, "Enrollment", facts);
    if (json_object_get(enrollment, "device_facts"))
        put_facts(&page, json_object_get(enrollment, "device_facts"));
    if (json_object_get(enrollment, "identity"))
        put_members(&page, "Identity", json_object_get(enrollment, "identity"));
    put_queue(&page, json_object_get(enrollment, "open_commands"));
    put_profiles(&page, json_object_get(enrollment, "profiles"));
    if (json_object_get(enrollment, "device_information"))
        put_members(&page, "DeviceInformation", json_object_get(enrollment, "device_information"));
    json_decref(facts);
    return finish(&page);
}
