# SPDX-License-Identifier: Apache-2.0
"""Managed Lost Mode: on, where the device is, a sound, off; a position is kept no longer than that."""

from .test_facts import facts, get, order


def test_lost_mode_and_the_position(site, phone):
    assert order(site, phone, "DeviceLocation").report["Status"] == "Error"
    assert "LostMode" not in facts(site, phone)
    assert order(site, phone, "EnableLostMode", Message="Please call the ward.").report["Status"] == "Acknowledged"
    assert facts(site, phone) == {"LostMode": True}
    order(site, phone, "DeviceLocation")
    known = facts(site, phone)
    assert (known["Location.Latitude"], known["Location.Longitude"]) == (52.5163, 13.3777)
    assert known["Location.Timestamp"].startswith("2026-01-05T03:00:00")
    assert order(site, phone, "PlayLostModeSound").report["Status"] == "Acknowledged"
    assert order(site, phone, "DisableLostMode").report["Status"] == "Acknowledged"
    assert facts(site, phone) == {"LostMode": False}
    assert get(site, phone, "facts/Location.Latitude/history")["history"] == []
    assert [one["value"] for one in get(site, phone, "facts/LostMode/history")["history"]] == [False, True]


def test_a_device_that_says_that_lost_mode_is_over_has_no_position(site, phone):
    order(site, phone, "EnableLostMode", Message="Please call the ward.")
    order(site, phone, "DeviceInformation", Queries=["IsMDMLostModeEnabled"])
    order(site, phone, "DeviceLocation")
    assert "Location.Latitude" in facts(site, phone)
    phone.lost_mode = False
    order(site, phone, "DeviceInformation", Queries=["IsMDMLostModeEnabled"])
    assert not [name for name in facts(site, phone) if name.startswith("Location.")]
