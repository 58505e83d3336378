#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A directive is in five places: a row of the table (httpd/mod_mdm_directives), a member with its merge line (httpd/mod_mdm_config),
# an entry in conf/directives.conf, a heading in docs/directives.md. Nothing is documented that does not exist.
# Usage: build/check-directives.sh [SOURCE-FOLDER]
set -eu

src=${1:-${MDM_SRCDIR:-$(dirname "$0")/..}}
cd "$src"
awk=${AWK:-awk}
rows=mod_mdm/httpd/mod_mdm_directives.c
code=mod_mdm/httpd/mod_mdm_config.c
header=mod_mdm/httpd/mod_mdm_config.h
status=0

complain() {
    echo "check-directives: $1"
    status=1
}

for file in "$rows" "$code" "$header" conf/directives.conf conf/mdm.conf docs/directives.md README.md; do
    test -f "$file" || {
        complain "there is no $file"
        exit 1
    }
done

table=$(tr '\n' ' ' <"$rows" | grep -oE 'AP_INIT_[A-Z0-9_]+\( *"[A-Za-z0-9]+"' | sed 's/.*"\(.*\)"/\1/')
test -n "$table" || complain "no directive found in $rows"
for twice in $(printf '%s\n' $table | LC_ALL=C sort | uniq -d); do
    complain "$twice has two rows in $rows"
done

# Members up to the first blank line of a struct are directive values, those after it are made from them.
members() {
    "$awk" -v struct="$1" '
    $0 ~ "^typedef struct " struct " [{]" { inside = 1; next }
    inside && /^([ \t]*$|\})/ { exit }
    inside {
        sub(/\/\*.*/, "")
        if ($0 !~ /;/)
            next
        sub(/;.*/, "")
        n = split($0, part, ",")
        for (i = 1; i <= n; i++) {
            m = split(part[i], word, /[ *]+/)
            print word[m]
        }
    }' "$header"
}
for member in $(members mdm_conf_t) $(members mdm_dir_conf_t); do
    grep -qE "MERGE_[A-Z]+\($member\)|conf->$member = add->" "$code" ||
        complain "$member is not merged in $code"
done
for member in $(grep -oE '\bTO\([a-z_]+\)' "$rows" | sed 's/TO(\(.*\))/\1/' | grep -v '^member$' | LC_ALL=C sort | uniq -d); do
    complain "$member is set by two directives in $rows"
done

# documented NAME-OF-FILE LIST-OF-NAMES
documented() {
    for name in $table; do
        printf '%s\n' $2 | grep -qx "$name" || complain "$name is not in $1"
    done
    for name in $2; do
        printf '%s\n' $table | grep -qx "$name" || complain "$name in $1 is no directive"
    done
}
documented conf/directives.conf \
    "$(sed -n 's/^#\{0,1\} *\(MDM[A-Za-z0-9]*\) .*/\1/p' conf/directives.conf | LC_ALL=C sort -u)"
documented docs/directives.md \
    "$(sed -n 's/^##* *`\{0,1\}\(MDM[A-Za-z0-9]*\).*/\1/p' docs/directives.md | LC_ALL=C sort -u)"
MDM_SRCDIR=. sh build/directives-doc --check || status=1
for file in conf/mdm.conf README.md; do
    for name in $(sed -n 's/^[# ]*\(MDM[A-Z][A-Za-z0-9]*\) .*/\1/p' "$file" | LC_ALL=C sort -u); do
        printf '%s\n' $table | grep -qx "$name" || complain "$name in $file is no directive"
    done
done
exit $status
