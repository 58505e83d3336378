# SPDX-License-Identifier: Apache-2.0
#
# For build/quickstart: the private httpd, from its configuration to what is printed about it.

# ---- configuration ---------------------------------------------------------------------------------------

load_modules() {
    local built_in name
    built_in=$("$httpd" -l)
    for name in "$@"; do
        case $built_in in
            *"mod_$name.c"*) ;;
            *) printf 'LoadModule %s_module "%s/mod_%s.so"\n' "$name" "$modules" "$name" ;;
        esac
    done
}

# httpd on the loopback addresses alone, unless devices are told another host name
listen_lines() {
    case $host in
        localhost | 127.0.0.1 | ::1)
            printf 'Listen 127.0.0.1:%s\n' "$port"
            ! grep -qs '^0\{31\}1 ' /proc/net/if_inet6 || printf 'Listen [::1]:%s\n' "$port"
            ;;
        *) printf 'Listen %s\n' "$port" ;;
    esac
}

write_conf() {
    local mpm
    mpm=$("$httpd" -l | grep -cE 'mod_?(mpm_)?(event|worker|prefork)\.c' || true)
    {
        printf '# Made by build/quickstart at each run: change it with the options of that, not here.\n'
        printf 'ServerRoot "%s"\n' "$dir"
        [ "$mpm" -ne 0 ] || load_modules mpm_event
        load_modules unixd log_config watchdog authn_core authn_file authz_core authz_host authz_user auth_basic \
            alias reqtimeout socache_shmcb ssl dbd status
        printf 'LoadModule mdm_module modules/mod_mdm.so\n\n'
        listen_lines
        printf 'ServerName "%s"\n' "$(url_host)"
        [ "$EUID" -ne 0 ] || printf 'User %s\nGroup %s\n' "$httpd_user" "$httpd_group"
        conf_process
        conf_site
    } >"$dir/httpd.conf.new"
}

url_host() {
    case $host in
        *:*) printf '[%s]' "$host" ;;
        *) printf '%s' "$host" ;;
    esac
}

conf_process() {
    cat <<END
PidFile "$dir/run/httpd.pid"
DefaultRuntimeDir "$dir/run"
Mutex "file:$dir/run" default
DocumentRoot "$open/www"
<Directory "/">
    AllowOverride None
    Require all denied
</Directory>

<IfModule mpm_event_module>
    StartServers 2
    ThreadsPerChild 25
    MinSpareThreads 25
    MaxSpareThreads 100
    MaxRequestWorkers 200
</IfModule>
Timeout 60
KeepAlive On
MaxKeepAliveRequests 1000
RequestReadTimeout header=20-40,MinRate=500 body=20,MinRate=500
# the ids of a command's enrollments are in the request line, thousands of them if need be
LimitRequestLine 1048576

ErrorLog "$dir/log/error.log"
LogLevel warn mdm:info
# without the query string: the enrollment program and SCEP put much into it
LogFormat "%h %u %t \"%m %U %H\" %>s %B %D" site
CustomLog "$dir/log/access.log" site
ServerTokens Prod
TraceEnable Off

SSLSessionCache "shmcb:$dir/run/tls-sessions(512000)"

END
}

conf_site() {
    cat <<END
<VirtualHost *:$port>
    ServerName "$(url_host):$port"
    SSLEngine on
    SSLProtocol -all +TLSv1.2 +TLSv1.3
    SSLCertificateFile "$tls_cert"
    SSLCertificateKeyFile "$tls_key"
    SSLVerifyClient optional_no_ca

    DBDriver $db_driver
    DBDParams "$db_params"
    DBDMin 1
    DBDKeep 8
    DBDMax 32

    MDMEngine On
    MDMServerURL $url
    MDMOrganization "Quickstart"
    MDMStateDir "$dir/state"
    MDMAPIKeyFile "$dir/secrets/api.key"
END
    [ -n "${setting[tls-cert]:-}" ] || printf '    MDMTrustFile "%s"\n' "$tls_ca"
    conf_push
    cat <<END

    <Location "/mdm/enroll">
        SetHandler mdm-enroll
        AuthType Basic
        AuthName "Device enrollment"
        AuthBasicProvider file
        AuthUserFile "$open/users"
        Require valid-user
    </Location>
    <Location "/mdm/scep">
        SetHandler mdm-scep
        Require all granted
    </Location>
    <Location "/mdm/checkin">
        SetHandler mdm-checkin
        Require all granted
    </Location>
    <Location "/mdm/connect">
        SetHandler mdm-connect
        Require all granted
    </Location>
    <Location "/mdm/api">
        SetHandler mdm-api
        Require all granted
    </Location>
    <Location "/mdm-status">
        SetHandler mdm-status
        AuthType Basic
        AuthName "MDM status"
        AuthBasicProvider file
        AuthUserFile "$open/users"
        <RequireAny>
            Require local
            Require valid-user
        </RequireAny>
    </Location>
    <Location "/server-status">
        SetHandler server-status
        Require local
    </Location>
    RedirectMatch "^/\$" "$url/mdm-status"
</VirtualHost>
END
}

conf_push() {
    if [ -n "${apns_url:-}" ]; then
        printf '    MDMAPNSURL %s\n    MDMAPNSCAFile "%s"\n    MDMPushTopic %s\n' "$apns_url" "$apns_ca" "$test_topic"
    elif [ -n "${setting[apns-url]:-}" ]; then
        printf '    MDMAPNSURL %s\n' "${setting[apns-url]}"
        [ -z "${setting[apns-ca]:-}" ] || printf '    MDMAPNSCAFile "%s"\n' "${setting[apns-ca]}"
    fi
}

# ---- the process -----------------------------------------------------------------------------------------

# Sets pid when the process of our PidFile runs with our configuration, and notes it.
site_running() {
    { read -r pid <"$dir/run/httpd.pid"; } 2>/dev/null && [ -n "$pid" ] || return 1
    { tr '\0' '\n' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qxF -- "$dir/httpd.conf" || return 1
    remember_process httpd "$pid" 2>/dev/null
}

# Children outlive a parent that was killed: they keep its port and, without it, listen to no gentle signal. They
# are known by the configuration they were started with.
end_orphans() {
    local process orphan began
    for process in /proc/[0-9]*; do
        { tr '\0' '\n' <"$process/cmdline"; } 2>/dev/null | grep -qxF -- "$dir/httpd.conf" || continue
        orphan=${process#/proc/}
        began=$(start_time "$orphan") || continue
        kill -KILL "$orphan" 2>/dev/null || continue
        wait_for 10 gone "$orphan" "$began" || die "process $orphan still runs" "end it by hand"
        step "httpd" "ended process $orphan, whose parent was gone"
        any=yes
    done
}

# What a running httpd has read: when this changes, it has to read again.
state_of_site() {
    cat "$dir/httpd.conf" "$dir/modules/mod_mdm.so" "$tls_cert" "$dir/state/ca.pem" "$dir/secrets/api.key" | sha256sum
}

start_site() {
    local log=$dir/log/start.log
    url=https://$(url_host):$port
    write_conf
    "$httpd" -t -f "$dir/httpd.conf.new" >"$log" 2>&1 </dev/null 9>&- ||
        die_with "$log" "httpd refuses the configuration $dir/httpd.conf.new"
    # httpd cannot exchange addresses on one port while it runs
    if site_running && [ "$(grep ^Listen "$dir/httpd.conf")" != "$(grep ^Listen "$dir/httpd.conf.new")" ]; then
        step "httpd" "stopping process $pid, because its addresses change"
        end_process httpd || die "httpd still runs" "end process $pid by hand"
    fi
    mv "$dir/httpd.conf.new" "$dir/httpd.conf"
    if ! site_running; then
        launch_httpd
    elif [ "$(state_of_site)" != "$(cat "$dir/run/state" 2>/dev/null)" ]; then
        reload_httpd
    else
        step "httpd" "runs already (process $pid)"
    fi
    wait_for 30 site_answers || die_with "$dir/log/error.log" "httpd runs, but $url/mdm/api/version does not answer 200" \
        "look into $dir/log/error.log"
    state_of_site >"$dir/run/state"
    setting[running-port]=$port
}

launch_httpd() {
    local log=$dir/log/start.log
    rm -f "$dir/run/httpd.pid"
    end_orphans
    "$httpd" -f "$dir/httpd.conf" -k start >"$log" 2>&1 </dev/null 9>&- || die_start
    wait_for 30 site_running || die_start
    started+=(httpd)
    step "httpd" "started (process $pid), port $port"
}

die_start() {
    local log=$dir/log/start.log
    [ -s "$log" ] || log=$dir/log/error.log
    die_with "$log" "httpd does not start" "its log is $dir/log/error.log"
}

reload_httpd() {
    local mark
    mark=$(stat -c %s "$dir/log/error.log" 2>/dev/null || echo 0)
    kill -USR1 "$pid"
    wait_for 60 reloaded_or_gone "$mark" || true
    reloaded "$mark" || die_with "$dir/log/error.log" "httpd (process $pid) has not read its configuration again" \
        "look into $dir/log/error.log; build/quickstart --stop ends it"
    step "httpd" "read its new configuration (process $pid)"
}

reloaded() {
    tail -c "+$(($1 + 1))" "$dir/log/error.log" | grep -q 'resuming normal operations'
}

reloaded_or_gone() {
    reloaded "$1" || ! running httpd
}

# Requests of our own go to this machine whatever the host name means elsewhere.
request() {
    curl -sS --noproxy '*' --connect-to "::127.0.0.1:$port" --cacert "$tls_ca" --max-time 60 "$@"
}

# The key is passed through a descriptor, because others may read the arguments of a process.
api() {
    request -K <(printf 'user = "nanomdm:%s"\n' "$api_key") "$@"
}

site_answers() {
    [ "$(request -o "$dir/run/answer" -w '%{http_code}' "$url/mdm/api/version" 2>"$dir/log/answer.log")" = 200 ]
}

upload_push_certificate() {
    local answer=$dir/log/pushcert.log code
    code=$(api -o "$answer" -w '%{http_code}' "$url/mdm/api/v1/pushcert?topic=$test_topic") || code=000
    [ "$code" != 200 ] || return 0
    # both in any order; the key never leaves this machine
    cat "$dir/push/test.pem" "$dir/push/test.key" >"$dir/push/upload.pem"
    code=$(api -o "$answer" -w '%{http_code}' -T "$dir/push/upload.pem" "$url/mdm/api/v1/pushcert") || code=000
    rm -f "$dir/push/upload.pem"
    [ "$code" = 200 ] || die_with "$answer" "the upload of the test push certificate is answered $code" \
        "look into $dir/log/error.log"
    step "push" "test certificate uploaded"
}

# ---- stop ------------------------------------------------------------------------------------------------

stop_site() {
    local file any=no
    [ -d "$dir/run" ] || {
        say "Nothing runs in $dir."
        return
    }
    dir=$(cd "$dir" && pwd)
    site_running || true
    for file in device httpd apns; do
        if running "$file"; then
            step "$file" "stopping process $pid"
            any=yes
        fi
        end_process "$file" || die "$file still runs" "end process $pid by hand"
    done
    end_orphans
    rm -f "$dir/run/httpd.pid" "$dir/run/state"
    [ "$any" = yes ] || say "Nothing runs in $dir."
}

# ---- what is printed, and the same for scripts --------------------------------------------------------------

write_environment() {
    local name
    declare -A out=(
        [MDM_URL]=$url [MDM_ENROLL_URL]=$url/mdm/enroll [MDM_SCEP_URL]=$url/mdm/scep
        [MDM_CHECKIN_URL]=$url/mdm/checkin [MDM_CONNECT_URL]=$url/mdm/connect [MDM_API_URL]=$url/mdm/api
        [MDM_API_USER]=nanomdm [MDM_API_KEY]=$api_key [MDM_STATUS_URL]=$url/mdm-status [MDM_USER]=$user
        [MDM_PASSWORD]=$password [MDM_CA_FILE]=$dir/state/ca.pem [MDM_TLS_CA_FILE]=$tls_ca [MDM_CTL]=$ctl [MDM_PID]=$pid
    )
    {
        printf '# This MDM site, for scripts to source. Holds its secrets.\n'
        for name in "${!out[@]}"; do
            case ${out[$name]} in
                *[!A-Za-z0-9_./:@%+=,-]*) printf '%s=%s\n' "$name" "$(quoted "${out[$name]}")" ;;
                *) printf '%s=%s\n' "$name" "${out[$name]}" ;;
            esac
        done | sort
    } >"$dir/site.env.new"
    chmod 0600 "$dir/site.env.new"
    mv "$dir/site.env.new" "$dir/site.env"
}

only_test_certificate() {
    ! request "$url/mdm-status?json" 2>>"$dir/log/answer.log" | grep '"topic": "' | grep -qvF -- "$test_topic"
}

show_site() {
    local again=$src/build/quickstart
    case $again in *[!A-Za-z0-9_./-]*) again=$(quoted "$again") ;; esac
    case $dir in
        /var/lib/mdm-quickstart | "${HOME:-}/.mdm-quickstart") ;;
        *) again="$again --dir $(quoted "$dir")" ;;
    esac
    cat <<END

The site is up (httpd process $pid).

  Enroll         $url/mdm/enroll
  Sign in        user $user, password $password
  Status         $url/mdm-status
  API            $url/mdm/api   user nanomdm, key $api_key
  For scripts    $dir/site.env
  Logs           $dir/log/error.log
  Stop           $again --stop

END
    if demo_runs; then
        say "A mock stands in for Apple's push service, so real devices are not woken until --stop and a new start."
    elif only_test_certificate; then
        cat <<END
The push certificate is one for tests: devices enroll, but Apple will not wake them. For real devices upload your
own (README.md and docs/push-certificate.md say how); new enrollments then use it.
END
    fi
    [ -n "${setting[tls-cert]:-}" ] || say "The web site's certificate comes from a CA made here: $tls_ca"
}
