#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The floors of mod_mdm include downwards only, and each foreign library has its one room.
# Usage: build/check-layers.sh [SOURCE-FOLDER]
set -eu

src=${1:-${MDM_SRCDIR:-$(dirname "$0")/..}}
cd "$src"
awk=${AWK:-awk}

find mod_mdm -name '*.[ch]' | LC_ALL=C sort | xargs grep -Hn '^[ 	]*#[ 	]*include' | "$awk" -F: -v headers="$(
    find mod_mdm -name '*.h' | LC_ALL=C sort | tr '\n' ' ')" '
function floor_of(path,    parts) {
    split(path, parts, "/")
    return parts[3] == "" ? "httpd" : parts[2]
}
function refuse(why) {
    printf "%s:%d: %s: %s\n", file, line, header, why
    bad++
}
function allow(pattern, why) {
    if (file !~ pattern)
        refuse(why)
}
BEGIN {
    below["base"] = " base "
    below["wire"] = " base wire "
    below["store"] = " base store "
    below["core"] = " base wire store core "
    below["httpd"] = " base wire store core httpd "
    below["ctl"] = " base wire store core ctl "
    n = split(headers, list, " ")
    for (i = 1; i <= n; i++) {
        name = list[i]
        sub(/.*\//, "", name)
        if (name in home)
            printf "%s: two headers of this name\n", name
        home[name] = floor_of(list[i])
    }
    home["mdm_sql.h"] = "store"
}
{
    file = $1
    line = $2
    header = $3
    sub(/^[^<"]*[<"]/, "", header)
    sub(/[>"].*/, "", header)
    floor = floor_of(file)
    if (header in home) {
        if (index(below[floor], " " home[header] " ") == 0)
            refuse("a header of " home[header] " in a file of " floor)
        next
    }
    if ($3 ~ /"/)
        refuse("no header of ours has this name; foreign headers are written in <>")
    if (header ~ /^(httpd|http_[a-z]+|ap_[a-z_]+|util_[a-z0-9]+|mod_[a-z_]+|scoreboard|mpm_common|unixd)\.h$/ \
        && floor != "httpd")
        refuse("httpd headers belong to mod_mdm/httpd alone")
    if (header == "mod_dbd.h")
        allow("^mod_mdm/(httpd/mod_mdm_dbd\\.[ch]|mod_mdm\\.c)$", "only httpd/mod_mdm_dbd knows mod_dbd")
    if (header ~ /^apr_dbd(_internal)?\.h$/)
        allow("^mod_mdm/(store/mdm_db\\.c|httpd/mod_mdm_dbd\\.c)$", "only store/mdm_db.c and httpd/mod_mdm_dbd.c know apr_dbd")
    if (header ~ /^curl\//)
        allow("^mod_mdm/wire/mdm_(fetch|http|http_any|http_both|http_link)\\.c$", "only wire/mdm_fetch.c and mdm_http*.c know curl")
    if (header ~ /^nghttp2\//)
        allow("^mod_mdm/wire/mdm_h2\\.c$", "only wire/mdm_h2.c knows nghttp2")
    if (header ~ /^(ldap|lber)\.h$/)
        allow("^mod_mdm/wire/mdm_ldap(_[a-z]+)?\\.[ch]$", "only wire/mdm_ldap* knows libldap")
    if (header ~ /^libxml\//)
        allow("^mod_mdm/wire/mdm_plist(_[a-z]+)?\\.[ch]$", "only wire/mdm_plist* knows libxml2")
    if (header ~ /^plist\//)
        allow("^mod_mdm/wire/mdm_plist_binary\\.c$", "only wire/mdm_plist_binary.c knows libplist")
    if (header == "png.h" || header == "qrencode.h")
        allow("^mod_mdm/wire/mdm_qr\\.c$", "only wire/mdm_qr.c knows libpng and libqrencode")
    if (header == "jansson.h")
        allow("^mod_mdm/(base/mdm_json\\.[ch]$|wire/|core/|httpd/|ctl/)", "JSON texts in base go through base/mdm_json")
    if (header ~ /^openssl\//)
        allow("^mod_mdm/(wire/|base/mdm_(bytes|seal)\\.c$)", "OpenSSL belongs to wire/, base/mdm_bytes.c and base/mdm_seal.c")
}
END {
    if (bad) {
        printf "check-layers: %d includes cross a floor\n", bad
        exit 1
    }
}'

# Text of statements lives in sql/ (what a driver wants said at connect lives in store/mdm_db.c).
sql=$(find mod_mdm -name '*.[ch]' ! -name mdm_sql.h ! -path mod_mdm/store/mdm_db.c -exec grep -HnE \
    '"[ ]*(SELECT .* FROM |INSERT INTO |UPDATE [a-z_]+ SET |DELETE FROM |(CREATE|ALTER|DROP) (TABLE|INDEX) )' {} + || true)
if [ -n "$sql" ]; then
    printf '%s\ncheck-layers: SQL text outside sql/\n' "$sql"
    exit 1
fi
