# SPDX-License-Identifier: Apache-2.0
"""The list of conformance rows for a SCEP server that these tests hold the module to: each has a test that
carries its id in its name. A row that loses its test makes this one fail."""

import os
import re

ROWS = (
    # what is announced, what a good request brings
    ["A%02d" % n for n in range(1, 15)] + ["B%02d" % n for n in range(1, 29)]
    # what is refused, hostile CMS, hostile input, renewals
    + ["C%02d" % n for n in range(1, 33)] + ["D%02d" % n for n in range(0, 26)] + ["D%02d" % n for n in range(30, 35)]
    + ["E%02d" % n for n in range(1, 6)])

# without an id of their own
MORE = ["pending", "next_ca", "expired", "signing_time", "failinfotext", "head"]


def names():
    """Names of tests, and ids of their parameters, in the SCEP tests beside this one."""
    folder = os.path.dirname(os.path.abspath(__file__))
    for name in sorted(os.listdir(folder)):
        if name.startswith("test_scep") and name.endswith(".py") and name != os.path.basename(__file__):
            with open(os.path.join(folder, name)) as source:
                text = source.read()
            yield from re.findall(r"^def test_(\w+)", text, re.M)
            yield from re.findall(r'^ +"([a-e]\d\d-[\w-]+)":', text, re.M)


def test_every_row_has_a_test_named_after_it():
    carried = {row.upper() for name in names() for row in re.findall(r"(?:^|_)([a-e]\d\d)(?=[_-])", name)}
    assert [row for row in ROWS if row not in carried] == []


def test_every_further_row_has_a_test_named_after_it():
    further = [name for name in names() if "more_" in name]
    assert [word for word in MORE if not [name for name in further if word in name]] == []


def test_no_test_carries_the_id_of_a_row_that_is_not_listed():
    carried = {row.upper() for name in names() for row in re.findall(r"(?:^|_)([a-e]\d\d)(?=[_-])", name)}
    assert sorted(carried - set(ROWS)) == []
