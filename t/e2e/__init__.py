# SPDX-License-Identifier: Apache-2.0
"""End-to-end tests: a real httpd with the module, simulated devices (t/sim), a mock of APNs."""
