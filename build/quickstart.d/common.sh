# SPDX-License-Identifier: Apache-2.0
#
# For build/quickstart: messages, the folder, what is remembered between runs, processes and ports.

say() {
    printf '%s\n' "$*"
}

# step WHAT DETAIL: one line for each thing done
step() {
    printf '  %-14s %s\n' "$1" "$2"
}

# die WHAT [REMEDY...]
die() {
    printf 'quickstart: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '            %s\n' "$@" >&2
    exit 1
}

# die_with FILE WHAT [REMEDY...]: with the end of that file before it
die_with() {
    local file=$1
    shift
    if [ -s "$file" ]; then
        printf -- '---- the end of %s\n' "$file" >&2
        tail -n 25 "$file" >&2
        printf -- '----\n' >&2
    fi
    die "$@"
}

# ---- processes -------------------------------------------------------------------------------------------

# The pid files (relative to the folder) of what this very run has started: a run that fails leaves no process.
started=()

on_exit() {
    local status=$? file
    [ "$status" -ne 0 ] || return 0
    for file in "${started[@]}"; do
        end_process "$file" || true
    done
}
trap on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# When a process started, in clock ticks since boot: with its number this names it for good.
start_time() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    line=${line##*) }
    set -- $line
    [ "$1" != Z ] || return 1
    printf '%s\n' "${20}"
}

# remember_process FILE PID
remember_process() {
    printf '%s %s\n' "$2" "$(start_time "$2")" >"$dir/run/$1"
}

# running FILE: sets pid when the process that FILE speaks of still runs
running() {
    local began
    pid=''
    { read -r pid began <"$dir/run/$1"; } 2>/dev/null || return 1
    [ -n "$began" ] && [ "$(start_time "$pid")" = "$began" ]
}

# end_process FILE: TERM, and wait for the end; true also when there is nothing to end
end_process() {
    local began
    if running "$1"; then
        began=$(start_time "$pid") || return 0
        kill "$pid" 2>/dev/null || true
        wait_for 30 gone "$pid" "$began" || {
            printf 'quickstart: process %s does not end on TERM\n' "$pid" >&2
            return 1
        }
    fi
    rm -f "$dir/run/$1"
}

gone() {
    [ "$(start_time "$1")" != "$2" ]
}

# wait_for SECONDS COMMAND...: until the command succeeds; false when the time is over
wait_for() {
    local limit=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$limit" ] || return 1
        sleep 0.05
    done
}

port_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || (exec 3<>"/dev/tcp/::1/$1") 2>/dev/null
}

# ---- the folder ------------------------------------------------------------------------------------------

make_folders() {
    local made=yes
    [ ! -d "$dir" ] || made=no
    mkdir -p "$dir" || die "cannot make the folder $dir" "choose another with --dir"
    if [ "$made" = no ] && [ ! -e "$dir/settings" ] && [ -n "$(ls -A "$dir")" ]; then
        die "$dir is not empty, and no folder of quickstart" "choose another with --dir"
    fi
    [ -w "$dir" ] || die "$dir is not yours" "choose another with --dir"
    dir=$(cd "$dir" && pwd)
    chmod 0755 "$dir"
    touch "$dir/settings"
    chmod 0600 "$dir/settings"
    mkdir -p "$dir"/{tls,modules,bin,run,log,push,secrets,demo}
    chmod 0755 "$dir"/{tls,modules,bin}
    chmod 0700 "$dir"/{push,secrets,demo,log}
    chmod 0755 "$dir/run"
    choose_open_folder
}

lock_folder() {
    exec 9>"$dir/run/lock"
    flock -n 9 || die "another quickstart is at work in $dir" "wait for it to end"
}

as_httpd() {
    setpriv --reuid="$httpd_user" --regid="$httpd_group" --clear-groups -- "$@"
}

# Started as root, httpd's children run as www-data. They need the database and the sign-in file, so these go
# where www-data can reach them when a parent of the folder is closed to others.
choose_open_folder() {
    httpd_user='' httpd_group=''
    open=$dir
    wordy=$dir
    local id
    id=$(printf '%s' "$dir" | cksum)
    id=${id%% *}
    if [ "$EUID" -eq 0 ]; then
        httpd_user=www-data httpd_group=www-data
        id -u "$httpd_user" >/dev/null 2>&1 || die "there is no user $httpd_user" "install the package apache2-bin"
        if ! as_httpd test -x "$dir"; then
            open=/var/lib/mod_mdm/quickstart-$id
            install -d -m 0755 "${open%/*}" "$open"
            as_httpd test -x "$open" || die "$httpd_user can reach neither $dir nor $open" "choose another folder with --dir"
            step "folder" "$open holds the database and the sign-in file: $httpd_user cannot reach $dir"
        fi
    fi
    case $dir in
        *[[:space:]]*)
            # the command in MDM_CTL has to be one word
            if [ "$EUID" -eq 0 ]; then
                wordy=/var/lib/mod_mdm/quickstart-$id
            else
                wordy=$HOME/.local/share/mod_mdm/quickstart-$id
            fi
            mkdir -p "$wordy"
            ;;
    esac
    mkdir -p "$open/db" "$open/www"
    chmod 0755 "$open/www"
    chmod 0700 "$open/db"
    [ "$EUID" -ne 0 ] || chown "$httpd_user:$httpd_group" "$open/db"
}

# ---- settings --------------------------------------------------------------------------------------------

declare -A setting=()

load_settings() {
    local name value
    while IFS== read -r name value; do
        [ -z "$name" ] || setting[$name]=$value
    done <"$dir/settings"
    for name in host port tls-cert tls-key database apns-url apns-ca; do
        if [ -n "${given[$name]:-}" ]; then
            setting[$name]=${given[$name]}
        fi
    done
    if [ "${setting[apns-url]:-}" = apple ]; then
        unset 'setting[apns-url]' 'setting[apns-ca]'
    fi
    if [ "${setting[tls-cert]:-}" = none ] || [ "${setting[tls-key]:-}" = none ]; then
        unset 'setting[tls-cert]' 'setting[tls-key]'
    fi
    host=${setting[host]:-localhost}
}

save_settings() {
    local name
    for name in "${!setting[@]}"; do
        printf '%s=%s\n' "$name" "${setting[$name]}"
    done | sort >"$dir/settings.new"
    mv "$dir/settings.new" "$dir/settings"
}

check_options() {
    local name
    for name in "${!given[@]}"; do
        case ${given[$name]} in
            *[$'\n'\"\\]*) die "--$name cannot hold quotes, backslashes or line ends" ;;
        esac
    done
    case ${given[port]:-1} in
        *[!0-9]* | ??????*) die "--port ${given[port]} is not a port number" ;;
    esac
    [ "${given[port]:-1}" -ge 1 ] && [ "${given[port]:-1}" -le 65535 ] || die "--port ${given[port]} is not a port number"
    case ${given[host]:-localhost} in
        *[!A-Za-z0-9.:-]*) die "--host ${given[host]} is neither a host name nor an address" ;;
    esac
    for name in tls-cert tls-key apns-ca; do
        [ "${given[$name]:-none}" = none ] || given[$name]=$(existing_file "--$name" "${given[$name]}") || exit 1
    done
    [ -z "${given[apns-ca]:-}" ] || [ -n "${given[apns-url]:-}" ] || die "--apns-ca needs --apns-url"
    case ${given[apns-url]:-apple} in
        apple | https://*) ;;
        *) die "--apns-url ${given[apns-url]} does not begin with https://" ;;
    esac
    if [ "${given[tls-cert]:-none}" != none ] && [ -z "${given[tls-key]:-}" ]; then
        die "--tls-cert needs --tls-key"
    fi
}

existing_file() {
    [ -f "$2" ] && [ -r "$2" ] || die "$1: there is no readable file $2"
    realpath -s "$2"
}

# The saved port is kept while it is free or ours. A port that was asked for is never exchanged for another.
choose_port() {
    port=${setting[port]:-8443}
    site_running || end_orphans
    if site_running && [ "$port" = "${setting[running-port]:-}" ]; then
        return
    fi
    if [ -n "${given[port]:-}" ]; then
        setting[port-chosen]=yes
        ! port_taken "$port" || die "port $port is taken by another program" "stop that, or choose another with --port"
        return
    fi
    ! port_taken "$port" || [ "${setting[port-chosen]:-}" != yes ] ||
        die "port $port, which this site has, is taken by another program" "stop that, or choose another with --port"
    while port_taken "$port"; do
        port=$((port + 1))
        [ "$port" -le 65535 ] || die "there is no free port" "choose one with --port"
    done
    [ "$port" = "${setting[port]:-8443}" ] || step "port" "$port, because ${setting[port]:-8443} is taken"
    setting[port]=$port
}
