# SPDX-License-Identifier: Apache-2.0
"""What NanoMDM's clients rely on is numbered: the rows of a list of behaviours, the sections about its API, its webhook.
Each has a test that bears its number in its name, here or in another file beside this one, and each case of the longer
ones too. A number or a case that loses its test makes these fail."""

import os
import re

# 21 behaviours
ROWS = ["row_%02d" % n for n in range(1, 22)]
# callers, rules of all routes, push, enqueue, push certificates, escrow keys, migration and version, devices' endpoints,
# where its own storages differ, what it is about to get, MicroMDM's paths; the webhook
SECTIONS = ["2_%d" % n for n in range(1, 12)] + ["part_3"]

CASES = {
    "row_02": ["wrong_key", "never_401"],
    "row_03": ["put", "glued", "cannot_work", "other_methods"],
    "row_05": ["one_is_200", "some_bad_is_207", "gone_and_unknown", "only_bad", "twice", "trailing_comma",
               "percent_encoded", "any_method", "without_ids"],
    "row_07": ["good", "nopush", "nopush_0", "any_method", "chunked", "empty_body_acts", "empty_body_and_nopush",
               "no_command", "taken_uuid", "unknown_id", "same_id_twice", "207", "keeps_the_command"],
    "row_08": ["without_any_proof", "unreadable", "broken", "another_body", "unknown_certificate", "before_authenticate"],
    "row_09": ["another_devices", "new_identity"],
    "row_10": ["idle_twice", "final_answer", "after_notnow", "refused_ones"],
    "row_12": ["none_set_equal"],
    "row_14": ["declined", "zero_length"],
    "row_16": ["get_or_put", "hmac"],
    "row_17": ["gets_in", "without_a_certificate", "being_down"],
    "row_18": ["goes_on", "no_key", "no_webhook"],
    "row_20": ["repeated", "unknown_uuid"],
    "row_21": ["left", "checkout"],
    "2_1": ["nanocmd", "kmfddm", "cmdapi", "e2e", "curl", "100_continue", "nano2nano"],
    "2_2": ["refusal", "errors", "tabs", "order", "unclean", "slash", "decoded_once", "escaped", "counts", "closed"],
    "2_8": ["prefix", "no_identifiers", "methods", "query", "no_body", "gettoken", "declarations", "bootstrap", "gone"],
    "2_9": ["users_checkout", "users_with_the_device", "old_certificate", "unlock_token", "before_the_first_tokenupdate",
            "queues_of_users"],
    "part_3": ["members", "wrong_certificate", "topics", "is_down", "keep_the_order", "put_off", "refuses", "lifetime", "silent", "crash"],
}


def names():
    folder = os.path.dirname(os.path.abspath(__file__))
    for file in sorted(os.listdir(folder)):
        if file.startswith("test_") and file != os.path.basename(__file__):
            with open(os.path.join(folder, file), encoding="utf-8") as source:
                yield from re.findall(r"^def test_((?:row_\d\d|2_\d+|part_3)_\w+)", source.read(), re.M)


def of(number):
    return [name[len(number) + 1:] for name in names() if name.startswith(number + "_")]


def test_every_row_and_section_has_a_test_named_after_it():
    assert [number for number in ROWS + SECTIONS if not of(number)] == []


def test_every_case_has_a_test_named_after_it():
    assert set(CASES) <= set(ROWS + SECTIONS)
    assert [(number, case) for number, cases in CASES.items() for case in cases
            if not [name for name in of(number) if case in name]] == []


def test_no_test_bears_a_number_that_is_not_listed():
    known = ROWS + SECTIONS
    assert [name for name in names() if not [number for number in known if name.startswith(number + "_")]] == []
