# SPDX-License-Identifier: Apache-2.0
#
# For build/quickstart: where the records live. Sets db_driver and db_params, and makes the mdmctl of this site.

prepare_database() {
    local text=${setting[database]:-}
    case $text in
        '') db_driver=sqlite3 db_params=$open/db/mdm.db ;;
        pgsql:*) db_driver=pgsql db_params=${text#pgsql:} ;;
        sqlite3:*) db_driver=sqlite3 db_params=${text#sqlite3:} ;;
        postgres://* | postgresql://* | *=*) db_driver=pgsql db_params=$text ;;
        *) db_driver=sqlite3 db_params=$text ;;
    esac
    if [ "$db_driver" = sqlite3 ]; then
        prepare_sqlite
    fi
    db_id=$(printf '%s:%s' "$db_driver" "$db_params" | cksum)
    db_id=${db_id%% *}
    write_ctl
    initialise
}

# Only its owner may write a SQLite file, and needs its folder, too: for the log and the locks beside it.
prepare_sqlite() {
    local folder
    case $db_params in
        /*) ;;
        *) db_params=$PWD/$db_params ;;
    esac
    [ -z "${setting[database]:-}" ] || setting[database]=sqlite3:$db_params
    folder=${db_params%/*}
    [ -d "$folder" ] || {
        mkdir -p "$folder" || die "cannot make the folder $folder for the database"
        [ "$EUID" -ne 0 ] || chown "$httpd_user:$httpd_group" "$folder"
    }
    [ -e "$db_params" ] || {
        : >"$db_params" || die "cannot make the database $db_params"
        [ "$EUID" -ne 0 ] || chown "$httpd_user:$httpd_group" "$db_params"
    }
    if [ "$EUID" -eq 0 ] && ! as_httpd test -w "$folder" -a -w "$db_params"; then
        die "$httpd_user cannot write $db_params or its folder" \
            "chown $httpd_user both, and open the folders above to it; or leave --database out"
    fi
    [ -w "$db_params" ] && [ -w "$folder" ] || die "cannot write $db_params or its folder"
}

# The options are in a small program, because a connection string may hold blanks.
write_ctl() {
    ctl=$wordy/mdmctl
    {
        printf '#!/bin/sh\n# mdmctl with the options of this site\n'
        printf "exec %s --state-dir %s --database %s \"\$@\"\n" "$(quoted "$dir/bin/mdmctl")" "$(quoted "$dir/state")" \
            "$(quoted "$db_driver:$db_params")"
    } >"$ctl.new"
    chmod 0700 "$ctl.new"
    mv "$ctl.new" "$ctl"
}

quoted() {
    printf "'%s'" "${1//\'/\'\\\'\'}"
}

initialise() {
    local log=$dir/log/database.log
    if "$ctl" db status >"$log" 2>&1; then
        return
    fi
    "$ctl" db init >>"$log" 2>&1 || die_with "$log" "cannot use the database $db_driver $(without_password)" \
        "--database names another one"
    step "database" "$db_driver $(without_password)"
}

without_password() {
    printf '%s' "$db_params" | sed -E "s/password=('[^']*'|[^ ]*)/password=.../; s|(://[^:@/]*):[^@]*@|\1:...@|"
}
