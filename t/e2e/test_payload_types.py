# SPDX-License-Identifier: Apache-2.0
"""The table of Apple's payload types, as the API shows it."""

MUST = ["com.apple.wifi.managed", "com.apple.mobiledevice.passwordpolicy", "com.apple.applicationaccess",
        "com.apple.mail.managed", "com.apple.eas.account", "com.apple.vpn.managed", "com.apple.ldap.account",
        "com.apple.caldav.account", "com.apple.carddav.account", "com.apple.apn.managed", "com.apple.cellular",
        "com.apple.webClip.managed", "com.apple.security.root", "com.apple.security.pkcs1", "com.apple.security.pkcs12",
        "com.apple.security.pem", "com.apple.security.scep", "com.apple.homescreenlayout",
        "com.apple.notificationsettings"]


def keys_of(one):
    return {key["name"]: key for key in one["keys"]}


def walk(keys):
    for key in keys:
        yield key
        yield from walk(key.get("keys", []))


def test_every_type_is_listed_and_shown(site):
    types = [one["type"] for one in site.api("GET", "/v1/payloads").json["types"]]
    assert types == sorted(set(types)) and len(types) == 120
    assert set(MUST) <= set(types)
    for name in types:
        shown = site.api("GET", "/v1/payloads/" + name)
        assert shown.status == 200 and shown.json["type"] == name and shown.json["keys"]
        for key in walk(shown.json["keys"]):
            assert key["type"] != "array" or len(key.get("keys", [])) <= 1, (name, key)
            assert "default" not in key or "values" not in key or key["default"] in key["values"], (name, key)


def test_a_type_says_what_a_form_needs(site):
    wifi = site.api("GET", "/v1/payloads/com.apple.wifi.managed").json
    keys = keys_of(wifi)
    assert wifi["title"] == "Wi-Fi" and wifi["since"]["ios"] == "4.0" and wifi["single"] == []
    assert {name: keys[name]["type"] for name in ("AutoJoin", "EncryptionType", "HIDDEN_NETWORK", "Password",
                                                  "ProxyType", "SSID_STR")} == {
        "AutoJoin": "boolean", "EncryptionType": "string", "HIDDEN_NETWORK": "boolean", "Password": "string",
        "ProxyType": "string", "SSID_STR": "string"}
    assert keys["Password"]["secret"] is True and keys["SSID_STR"]["secret"] is False
    assert keys["EncryptionType"]["values"] == ["WEP", "WPA", "WPA2", "WPA3", "Any", "None"]
    assert keys["ProxyServerPort"]["least"] == 0 and keys["ProxyServerPort"]["most"] == 65535
    assert keys_of(keys["EAPClientConfiguration"])["UserPassword"]["secret"] is True
    home = site.api("GET", "/v1/payloads/com.apple.homescreenlayout").json
    assert home["supervised"] == ["ios", "tvos"] and home["single"] == ["ios", "tvos"]
    limits = keys_of(site.api("GET", "/v1/payloads/com.apple.applicationaccess").json)
    assert "ios" in limits["allowAppInstallation"]["supervised"] and limits["allowAppInstallation"]["default"] is True


def test_what_is_not_there(site):
    reply = site.api("GET", "/v1/payloads/com.apple.nothing")
    assert reply.status == 404 and "GET v1/payloads" in reply.json["error"]
    assert site.api("GET", "/v1/payloads/").status == 404
    assert site.api("POST", "/v1/payloads").status == 405
