#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every log line has an id of its own, MDMNO(nnnn) with four digits, and no id is there twice.
# Usage: build/check-logids.sh [SOURCE-FOLDER]
set -eu

src=${1:-${MDM_SRCDIR:-$(dirname "$0")/..}}
cd "$src"
awk=${AWK:-awk}

find mod_mdm -name '*.[ch]' | LC_ALL=C sort | xargs "$awk" '
/^[ \t]*#[ \t]*define[ \t]+MDMNO/ { next }
{
    text = $0
    while (match(text, /MDMNO\([^)]*\)/)) {
        id = substr(text, RSTART + 6, RLENGTH - 7)
        text = substr(text, RSTART + RLENGTH)
        if (id == "nnnn")
            continue
        if (id !~ /^[0-9][0-9][0-9][0-9]$/) {
            printf "%s:%d: MDMNO(%s): an id has four digits\n", FILENAME, FNR, id
            bad++
        } else if (id in first) {
            printf "%s:%d: MDMNO(%s) is used at %s already\n", FILENAME, FNR, id, first[id]
            bad++
        } else {
            first[id] = FILENAME ":" FNR
            if (id + 0 > highest)
                highest = id + 0
        }
    }
}
END {
    if (bad) {
        printf "check-logids: %d wrong ids; the next free one is %04d\n", bad, highest + 1
        exit 1
    }
}'
