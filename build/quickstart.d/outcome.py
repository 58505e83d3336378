# SPDX-License-Identifier: Apache-2.0
"""For build/quickstart --demo: print a command's final state on one enrollment, nothing while there is none.
Usage: outcome.py ANSWER-OF-v1/commands ENROLLMENT-ID"""

import json
import sys

try:
    with open(sys.argv[1]) as source:
        shown = json.load(source)
except ValueError:
    sys.exit()
for item in shown.get("enrollments", shown.get("states", [])):
    if item["enrollment_id"] == sys.argv[2] and item.get("finished_at"):
        print(item.get("status", item.get("state")))
