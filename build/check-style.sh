#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The size limits and the outer form of the sources: lines, functions, files, the licence line, the
# comment at the top, tabs, marks of unfinished work, paths of somebody's machine. Lines have 120
# characters at most, here as in Python and shell; aim at 110 in C, functions of 40 lines, files of 500 and headers of 150: of these what fails
# here is the hard limit.
# Usage: build/check-style.sh [SOURCE-FOLDER]
set -eu

src=${1:-${MDM_SRCDIR:-$(dirname "$0")/..}}
cd "$src"
awk=${AWK:-awk}
status=0

find mod_mdm t -name '*.[ch]' ! -name mdm_sql.h | LC_ALL=C sort | xargs "$awk" '
function report(line, text) {
    printf "%s:%d: %s\n", file, line, text
    bad++
}
function finish(    limit) {
    if (file == "")
        return
    limit = file ~ /\.h$/ ? 350 : 700
    if (lines > limit)
        report(lines, "a file of " lines " lines (at most " limit ")")
}
FNR == 1 {
    finish()
    file = FILENAME
    start = 0
    width = 120
    if ($0 != "/* SPDX-License-Identifier: Apache-2.0 */")
        report(1, "the first line is not the licence line")
}
{ lines = FNR }
FNR == 2 && $0 !~ /^\/\*/ { report(2, "no comment that says what the file is for") }
length($0) > width { report(FNR, "a line of " length($0) " characters (at most " width ")") }
/\t/ { report(FNR, "a tab") }
/[ \t]$/ { report(FNR, "white space at the end") }
/^\{/ { start = FNR }
/^\}/ {
    if (start && FNR - start - 1 > 60)
        report(start, "a function of " FNR - start - 1 " lines (at most 60)")
    start = 0
}
END {
    finish()
    exit bad > 0
}' || status=1

# Words are put together here so that this file does not find itself.
marks='T''ODO|F''IXME|X''XX|H''ACK|not imple''mented'
home='/ho''me/|/ro''ot/|/wo''rk/|/tmp/m''dm'
files=$(find configure.ac Makefile.am README.md CHANGES.md mod_mdm t build conf sql docs .ci \
    -type f ! -path 'build/aux/*' ! -path '*/__pycache__/*' ! -name '*.png' ! -path 't/fuzz/corpus/*' \
    ! -name 'libtool.m4' ! -name 'lt*.m4' 2>/dev/null | LC_ALL=C sort)
if grep -nIE "\\b($marks)\\b" $files; then
    echo "check-style: marks of unfinished work"
    status=1
fi
if grep -nIE "(^|[^A-Za-z0-9_.~\$}-])($home)" $files; then
    echo "check-style: paths of one machine"
    status=1
fi
for path in $(printf '%s\n' $files | grep -E '(\.(sh|py|sql|am|m4|ac)|/[a-z0-9-]+)$'); do
    head -n 3 "$path" | grep -q 'SPDX-License-Identifier: Apache-2.0' || {
        echo "$path: no licence line among the first three"
        status=1
    }
done
exit $status
