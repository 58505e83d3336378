# SPDX-License-Identifier: Apache-2.0
#
# For build/quickstart --demo: a mock of Apple's push service, one simulated device, two commands and their answers.

demo_runs() {
    local before=$pid found=1
    running apns && found=0
    pid=$before
    return "$found"
}

# A site whose mock runs keeps it until --stop.
demo_wanted() {
    [ "$demo" = yes ] || running apns
}

find_python() {
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import cryptography, h2' 2>/dev/null && return
    done
    die "no Python with the modules cryptography and h2" "install the packages python3-cryptography and python3-h2"
}

# member FILE NAME: a text of the JSON object in the file
member() {
    "$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"
}

start_apns() {
    local ready=$dir/demo/apns.json
    find_python
    apns_ca=$dir/demo/apns-ca.pem
    if ! running apns; then
        rm -f "$ready"
        setsid "$python" "$src/t/sim/apns" --client-ca "$dir/push/test.pem" --ready-file "$ready" --copy-ca "$apns_ca" \
            >"$dir/log/apns.log" 2>&1 </dev/null 9>&- &
        remember_process apns $! || die_with "$dir/log/apns.log" "the mock of Apple's push service does not start"
        started+=(apns)
        wait_for 30 ready_or_gone "$ready" apns
        [ -s "$ready" ] || die_with "$dir/log/apns.log" "the mock of Apple's push service does not start"
        step "push mock" "started (process $(cut -d' ' -f1 "$dir/run/apns")), log in $dir/log/apns.log"
    fi
    apns_url=$(member "$ready" url)
    apns_control=$(member "$ready" control)
}

ready_or_gone() {
    [ -s "$1" ] || ! running "$2"
}

run_demo() {
    local site=$pid
    start_device
    run_command DeviceInformation '<key>Queries</key>
            <array>
                <string>DeviceName</string>
                <string>OSVersion</string>
                <string>ModelName</string>
                <string>SerialNumber</string>
            </array>'
    run_command DeviceLock '<key>Message</key>
            <string>Please bring this phone back.</string>'
    pid=$site
    say
    say "The simulated device waits for more commands; the status page shows it: $url/mdm-status"
}

start_device() {
    local state=$dir/demo/device-$db_id log=$dir/log/device.log
    if ! running device; then
        : >"$log"
        MDM_USER=$user MDM_PASSWORD=$password setsid "$python" "$src/t/sim/device" run --state-dir "$state" \
            --ca-file "$tls_ca" --enroll-url "$url/mdm/enroll" \
            --apns-control "$apns_control" >"$log" 2>&1 </dev/null 9>&- &
        remember_process device $! || die_with "$log" "the simulated device does not start"
        started+=(device)
        wait_for 90 event_or_gone '"event": "ready"' || true
        has_event '"event": "ready"' || die_with "$log" "the simulated device has not enrolled" \
            "see also the end of $dir/log/error.log"
        step "device" "started (process $(cut -d' ' -f1 "$dir/run/device")), log in $log"
    fi
    udid=$(member "$state/state.json" udid)
    step "enrolled" "$udid"
}

has_event() {
    grep -qF -- "$1" "$dir/log/device.log"
}

event_or_gone() {
    has_event "$1" || ! running device
}

# run_command TYPE XML: enqueue through the API and wait until the server has the device's answer
run_command() {
    local uuid body=$dir/demo/command.plist answer=$dir/log/enqueue.log code
    uuid=$(cat /proc/sys/kernel/random/uuid)
    cat >"$body" <<END
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
    <dict>
        <key>CommandUUID</key>
        <string>$uuid</string>
        <key>Command</key>
        <dict>
            <key>RequestType</key>
            <string>$1</string>
            $2
        </dict>
    </dict>
</plist>
END
    code=$(api -o "$answer" -w '%{http_code}' -T "$body" "$url/mdm/api/v1/enqueue/$udid") || code=000
    [ "$code" = 200 ] || die_with "$answer" "queueing $1 for the device is answered $code" "look into $dir/log/error.log"
    wait_for 60 event_or_gone "\"uuid\": \"$uuid\"" && wait_for 30 answered "$uuid" || die_with "$dir/log/device.log" "the device has not answered $1 within a minute" \
        "look into $dir/log/error.log, $dir/log/apns.log and $dir/log/device.log"
    [ "$outcome" = Acknowledged ] || die_with "$dir/log/device.log" "the device answered $1 with $outcome"
    step "command" "$1: woken through the push mock, $outcome"
}

# Asks the server, not the device: sets outcome when the command has a final state.
answered() {
    api -o "$dir/demo/answer.json" "$url/mdm/api/v1/commands/$1" 2>>"$dir/log/answer.log" || return 1
    outcome=$("$python" "$parts/outcome.py" "$dir/demo/answer.json" "$udid")
    [ -n "$outcome" ]
}
