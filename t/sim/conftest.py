# SPDX-License-Identifier: Apache-2.0
"""What the tests of the simulators share: a CA, a push certificate, the fake server, an enrolled device."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fake_mdm import FakeMdm  # noqa: E402
from mdmsim import pki  # noqa: E402
from mdmsim.device import Device  # noqa: E402
from pushing import PUSH  # noqa: E402


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    """A CA with its files: .certificate .key .cert_file .key_file."""
    folder = tmp_path_factory.mktemp("ca")
    made = pki.Authority()
    made.cert_file = pki.write_pem(folder / "ca.pem", made.certificate)
    made.key_file = pki.write_pem(folder / "ca.key", made.key, private=True)
    return made


@pytest.fixture(scope="module")
def push_identity(ca, tmp_path_factory):
    folder = tmp_path_factory.mktemp("push")
    certificate, key = ca.push_certificate(PUSH)
    return pki.write_pem(folder / "push.pem", certificate), pki.write_pem(folder / "push.key", key)


@pytest.fixture
def fake():
    with FakeMdm() as server:
        yield server


@pytest.fixture
def phone(fake, tmp_path):
    signer = pki.write_pem(tmp_path / "signer.pem", fake.ca.certificate)
    with Device(signer_ca_file=signer, state_dir=tmp_path / "phone") as device:
        device.enroll(fake.url + "/enroll", "alice", "secret")
        yield device
