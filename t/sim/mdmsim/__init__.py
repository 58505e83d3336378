# SPDX-License-Identifier: Apache-2.0
"""Simulated Apple devices and a mock of Apple's push service, for tests and demonstrations.

Nothing in this package uses the C code it tests: formats are written here a second time, on
python3-cryptography, plistlib and python3-h2, so that an error on one side shows on the other.
"""
