# SPDX-License-Identifier: Apache-2.0
"""A secret or a version of a profile that does not open: whoever needs it is blocked and says why, everybody else goes on,
it is told once, and a new value or the key that comes back heals it."""

from . import desired

OTHER_KEY = "1:0123abcd:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def told(site, name):
    return site.database.sql("SELECT kind, detail FROM mdm_event WHERE kind LIKE '%%.unreadable' AND object = '%s' "
                             "ORDER BY id" % name)


def row(site, phone, name):
    page = desired.call(site, "GET", "profiles/%s/devices" % name, status=200).json
    return next(one for one in page["devices"] if one["enrollment_id"] == phone.id)


def alerts(site):
    return " ".join(site.http.get(site.at("/mdm-status?json")).json["alerts"])


def stuck(site, phone):
    return site.show(phone.id).get("stuck") or ""


def test_a_secret_that_does_not_open_stops_nobody_else(own_site, new_phone):
    site = own_site
    site.log.expect("MDM1075")
    phones = [new_phone(site) for _ in range(3)]
    name, other, secret = desired.name_of("wifi"), desired.name_of("other"), desired.name_of("password")
    group = desired.group(site, desired.name_of("some"), [phone.id for phone in phones])
    desired.secret(site, secret, "first-CANARY")
    profile = desired.profile(site, name, desired.wifi("${secret.%s}" % secret))
    site.database.sql("UPDATE mdm_secret SET value = '%s' WHERE name = '%s'" % (OTHER_KEY, secret))
    desired.assign(site, name, group=group)
    made = desired.profile(site, other, desired.wifi("fixed-CANARY", ssid="Other"))
    desired.assign(site, other, group=group)
    desired.settled(site)
    for phone in phones:
        phone.connect()
        assert made["identifier"] in phone.profiles and profile["identifier"] not in phone.profiles
        assert "secret %s does not open" % secret in stuck(site, phone)
    assert desired.rows(site, name) == {phone.id: 7 for phone in phones}
    assert secret in row(site, phones[0], name)["reason"] and row(site, phones[0], name)["state"] == "blocked"
    assert secret in alerts(site)

    # to be looked at again, after a restart too, is no reason to tell it again
    site.stop()
    site.start_again()
    desired.group(site, desired.name_of("more"), [phones[0].id])
    late = new_phone(site)
    desired.assign(site, name, enrollment=late.id)
    desired.settled(site)
    assert desired.rows(site, name)[late.id] == 7
    assert told(site, secret) == [["secret.unreadable", "generation 1"]]
    assert site.log.text().count("MDM1075") == 1 and "MDM1073" not in site.log.text()

    desired.secret(site, secret, "second-CANARY")
    desired.settled(site)
    for phone in (*phones, late):
        phone.connect()
        assert phone.profiles.payload(profile["identifier"], "com.apple.wifi.managed")["Password"] == "second-CANARY"
        assert not stuck(site, phone)
    assert secret not in alerts(site)


def test_one_that_does_not_open_any_more_when_it_is_fetched(site, phone):
    site.log.expect("MDM1075")
    name, secret = desired.name_of("wifi"), desired.name_of("password")
    desired.secret(site, secret, "first-CANARY")
    profile = desired.profile(site, name, desired.wifi("${secret.%s}" % secret))
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    site.database.sql("UPDATE mdm_secret SET value = 'damaged' WHERE name = '%s'" % secret)
    phone.connect()
    assert profile["identifier"] not in phone.profiles and desired.rows(site, name) == {phone.id: 7}
    assert told(site, secret) == [["secret.unreadable", "generation 1"]]
    desired.secret(site, secret, "second-CANARY")
    desired.settled(site)
    phone.connect()
    assert profile["identifier"] in phone.profiles


def test_a_version_that_does_not_open_and_comes_back(own_site, new_phone):
    site = own_site
    site.log.expect("MDM1075")
    phone = new_phone(site)
    name = desired.name_of("wifi")
    profile = desired.profile(site, name, desired.wifi("fixed-CANARY"))
    of = "FROM mdm_profile_version WHERE profile = (SELECT id FROM mdm_profile WHERE name = '%s')" % name
    body = site.database.sql("SELECT body " + of)[0][0]
    change = "UPDATE mdm_profile_version SET body = '%s' " + of.replace("FROM mdm_profile_version ", "")
    site.database.sql(change % OTHER_KEY)
    desired.assign(site, name, enrollment=phone.id)
    desired.settled(site)
    assert desired.rows(site, name) == {phone.id: 7} and "version 1 does not open" in stuck(site, phone)
    assert told(site, name) == [["profile.unreadable", "version 1"]] and name in alerts(site)

    # as when the right key is put in its place and httpd restarted
    site.database.sql(change % body)
    site.stop()
    site.start_again()
    desired.until(lambda: desired.rows(site, name) == {phone.id: 1})
    phone.connect()
    assert profile["identifier"] in phone.profiles and name not in alerts(site)

    # to save what is there already puts a version that opens in its place
    site.database.sql(change % OTHER_KEY)
    desired.profile(site, name, desired.wifi("fixed-CANARY"))
    assert desired.call(site, "GET", "profiles/" + name, status=200).json["version"] == 2
