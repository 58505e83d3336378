#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every .c and .h of mod_mdm is listed in mod_mdm/sources.am and every C file of t in t/tests.am,
# and everything listed exists: what is not listed is neither built nor shipped.
# Usage: build/check-sources.sh [SOURCE-FOLDER]
set -eu

src=${1:-${MDM_SRCDIR:-$(dirname "$0")/..}}
cd "$src"
bad=0

listed() {
    grep -v '^#' "$1" | tr -s ' \t\\=' '\n' | grep -E "^$2/[A-Za-z0-9_/]+(\.[ch])?$" | LC_ALL=C sort -u
}

for path in $(find mod_mdm -name '*.[ch]' ! -name mdm_sql.h | LC_ALL=C sort); do
    listed mod_mdm/sources.am mod_mdm | grep -qx "$path" || {
        echo "$path: not listed in mod_mdm/sources.am"
        bad=1
    }
done
for path in $(find t -name '*.[ch]' | LC_ALL=C sort); do
    listed t/tests.am t | grep -qx -e "$path" -e "${path%.c}" || {
        echo "$path: not listed in t/tests.am"
        bad=1
    }
done
for path in $(listed mod_mdm/sources.am mod_mdm) $(listed t/tests.am t | grep '\.[ch]$' || true); do
    [ -f "$path" ] || [ "${path##*/}" = mdm_sql.h ] || {
        echo "$path: listed, but there is no such file"
        bad=1
    }
done
exit $bad
