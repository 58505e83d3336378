# SPDX-License-Identifier: Apache-2.0
#
# For build/quickstart: everything secret or signed. Nothing that exists is replaced, but the web site's own
# certificate when it ends soon or the host name is another. Runs with umask 077.

openssl_quiet() {
    openssl "$@" 2>"$dir/log/openssl.log" >/dev/null ||
        die_with "$dir/log/openssl.log" "openssl $1 failed"
}

make_keys() {
    make_identity_ca
    make_secrets
    make_sign_in
    if [ -n "${setting[tls-cert]:-}" ]; then
        tls_cert=${setting[tls-cert]} tls_key=${setting[tls-key]}
        [ -r "$tls_cert" ] && [ -r "$tls_key" ] || die "cannot read $tls_cert or $tls_key" \
            "name others with --tls-cert and --tls-key, or give --tls-cert none"
        cp "$tls_cert" "$dir/tls/given.pem"
        chmod 0644 "$dir/tls/given.pem"
        tls_ca=$dir/tls/trust.pem
        if [ -s /etc/ssl/certs/ca-certificates.crt ]; then
            cat /etc/ssl/certs/ca-certificates.crt "$tls_cert" >"$tls_ca"
        else
            cat "$tls_cert" >"$tls_ca"
        fi
        chmod 0644 "$tls_ca"
    else
        tls_cert=$dir/tls/server.pem tls_key=$dir/tls/server.key tls_ca=$dir/tls/ca.pem
        make_tls_ca
        make_tls_certificate
    fi
    make_push_certificate
}

make_identity_ca() {
    [ ! -f "$dir/state/ca.pem" ] || [ ! -f "$dir/state/ca.key" ] || [ ! -f "$dir/state/seal.key" ] || return 0
    "$dir/bin/mdmctl" --state-dir "$dir/state" ca init --organization "Quickstart" >"$dir/log/ca.log" 2>&1 ||
        die_with "$dir/log/ca.log" "cannot make the identity CA in $dir/state"
    step "identity CA" "$dir/state/ca.pem"
}

make_secrets() {
    local made=no
    [ -s "$dir/secrets/api.key" ] || {
        openssl rand -hex 24 >"$dir/secrets/api.key"
        made=yes
    }
    [ -s "$dir/secrets/password" ] || {
        openssl rand -hex 8 >"$dir/secrets/password"
        made=yes
    }
    user=mdm
    password=$(cat "$dir/secrets/password")
    api_key=$(cat "$dir/secrets/api.key")
    [ "$made" = no ] || step "secrets" "$dir/secrets: API key, password of the sign-in"
}

make_sign_in() {
    local file=$open/users hash
    if [ ! -s "$file" ]; then
        hash=$(printf '%s' "$password" | openssl passwd -6 -stdin)
        printf '%s:%s\n' "$user" "$hash" >"$file.new"
        chmod 0640 "$file.new"
        [ "$EUID" -ne 0 ] || chgrp "$httpd_group" "$file.new"
        mv "$file.new" "$file"
    fi
}

make_tls_ca() {
    [ ! -s "$dir/tls/ca.pem" ] || [ ! -s "$dir/tls/ca.key" ] || return 0
    cat >"$dir/tls/ca.cnf" <<END
[req]
distinguished_name = name
x509_extensions = ca
prompt = no
[name]
O = mod_mdm quickstart
CN = Quickstart web CA $(openssl rand -hex 4)
[ca]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
END
    openssl_quiet req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha256 -nodes -days 3650 \
        -config "$dir/tls/ca.cnf" -keyout "$dir/tls/ca.key" -out "$dir/tls/ca.pem"
    rm -f "$dir/tls/ca.cnf" "$dir/tls/server.pem"
    chmod 0644 "$dir/tls/ca.pem"
    step "web CA" "$dir/tls/ca.pem"
}

make_tls_certificate() {
    local names=DNS:localhost,IP:127.0.0.1,IP:::1 kind=-checkhost
    case $host in
        localhost | 127.0.0.1 | ::1) ;;
        *:* | *[0-9].[0-9]*.[0-9]*.[0-9]*)
            names=$names,IP:$host
            kind=-checkip
            ;;
        *) names=$names,DNS:$host ;;
    esac
    case $host in 127.0.0.1 | ::1) kind=-checkip ;; esac
    if [ -s "$tls_cert" ] && [ -s "$tls_key" ] &&
        openssl x509 -in "$tls_cert" -noout -checkend 2592000 >/dev/null 2>&1 &&
        openssl x509 -in "$tls_cert" -noout "$kind" "$host" 2>/dev/null | grep -q 'does match'; then
        return
    fi
    cat >"$dir/tls/server.cnf" <<END
[req]
distinguished_name = name
prompt = no
[name]
CN = ${host:0:64}
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $names
END
    openssl_quiet req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha256 -nodes -config "$dir/tls/server.cnf" \
        -keyout "$tls_key.new" -out "$dir/tls/server.csr"
    openssl_quiet x509 -req -in "$dir/tls/server.csr" -CA "$dir/tls/ca.pem" -CAkey "$dir/tls/ca.key" \
        -set_serial "0x$(openssl rand -hex 16)" -sha256 -days 397 -extfile "$dir/tls/server.cnf" -extensions server \
        -out "$tls_cert.new"
    mv "$tls_key.new" "$tls_key"
    mv "$tls_cert.new" "$tls_cert"
    chmod 0644 "$tls_cert"
    rm -f "$dir/tls/server.csr" "$dir/tls/server.cnf"
    step "certificate" "$tls_cert for $host"
}

# Apple signs the real one. This one lets the site hand out enrollment profiles, and mocks accept it.
make_push_certificate() {
    local uuid
    if [ ! -s "$dir/push/test.pem" ] || [ ! -s "$dir/push/test.key" ]; then
        uuid=$(cat /proc/sys/kernel/random/uuid)
        cat >"$dir/push/test.cnf" <<END
[req]
distinguished_name = name
x509_extensions = push
prompt = no
[name]
UID = com.apple.mgmt.External.$uuid
CN = Test push certificate
[push]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
END
        openssl_quiet req -x509 -new -newkey rsa:2048 -sha256 -nodes -days 3650 -config "$dir/push/test.cnf" \
            -keyout "$dir/push/test.key" -out "$dir/push/test.pem"
        printf 'com.apple.mgmt.External.%s\n' "$uuid" >"$dir/push/test.topic"
        rm -f "$dir/push/test.cnf"
        step "push" "$dir/push/test.pem, a certificate for tests"
    fi
    test_topic=$(cat "$dir/push/test.topic")
}
