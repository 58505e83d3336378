# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end-to-end tests, and the matrix they run in: event and prefork, SQLite and PostgreSQL.

A test that uses `site` or `make_site` runs under event with both databases; marked "mpm" also under prefork;
marked "once" only under event with SQLite. Choose with -k: pytest t/e2e -k prefork-pgsql."""

import os
import shutil
import signal
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "sim"))

from mdmsim.apns import ApnsMock  # noqa: E402

from . import devices, keys as keyring  # noqa: E402
from .postgresql import Cluster  # noqa: E402
from .site import Pgsql, Site, Sqlite  # noqa: E402

BOTH = [("event", "sqlite3"), ("event", "pgsql")]
ALL = BOTH + [("prefork", "sqlite3"), ("prefork", "pgsql")]


def pytest_configure(config):
    # a terminated run ends like an interrupted one, so that it leaves no servers behind
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    config.addinivalue_line("markers", "mpm: runs under prefork as well")
    config.addinivalue_line("markers", "once: does not depend on the database or the MPM")
    config.addinivalue_line("markers", "smoke: a short way through everything")


def pytest_generate_tests(metafunc):
    if "variant" not in metafunc.fixturenames:
        return
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    variants = BOTH[:1] if "once" in marks else ALL if "mpm" in marks else BOTH
    metafunc.parametrize("variant", variants, ids=["-".join(one) for one in variants], scope="session",
                         indirect=True)


@pytest.fixture(scope="session")
def keys():
    folder = tempfile.mkdtemp(prefix="mdm-e2e-keys-")
    os.chmod(folder, 0o755)
    yield keyring.Keys(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def variant(request):
    """(MPM, database driver)"""
    return request.param


@pytest.fixture(scope="session")
def cluster():
    folder = tempfile.mkdtemp(prefix="mdm-e2e-pg-")
    os.chmod(folder, 0o755)
    made = Cluster(folder).start()
    yield made
    made.stop("immediate")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def make_database(request):
    """make_database(kind): a new, empty database."""
    made = []

    def make(kind):
        made.append(Sqlite() if kind == "sqlite3" else Pgsql(request.getfixturevalue("cluster")))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def apns(keys):
    with ApnsMock(client_ca=keys.push_ca_file) as mock:
        yield mock


def _made(keys, database, apns, mpm, **options):
    site = Site(keys, database, apns, mpm, **options)
    site.topic = keyring.TOPIC
    return site


@pytest.fixture(scope="session")
def shared_site(keys, apns, variant, make_database):
    """One running site for all tests of a variant, with a push certificate."""
    mpm, kind = variant
    site = _made(keys, make_database(kind), apns, mpm)
    site.start()
    site.upload_push_certificate()
    yield site
    site.close()


@pytest.fixture
def site(shared_site):
    """The shared site; the log of this test must be free of trouble."""
    mark, before = shared_site.log.size(), list(shared_site.log.expected)
    yield shared_site
    trouble = shared_site.log.trouble(mark)
    assert not trouble, "unexpected in the error log:\n" + "\n".join(trouble[:20])
    shared_site.log.expected += [one for one in before if one not in shared_site.log.expected]


@pytest.fixture
def make_site(keys, apns, variant, make_database):
    """make_site(**options): a site of the test's own, not yet started."""
    made = []

    def make(**options):
        mpm, kind = variant
        options.setdefault("mpm", mpm)
        database = options.pop("database", None) or make_database(kind)
        made.append(_made(keys, database, options.pop("apns", apns), **options))
        return made[-1]
    yield make
    problems = []
    for one in made:
        try:
            one.close()
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)


@pytest.fixture
def own_site(make_site):
    """A running site of the test's own, with a push certificate."""
    site = make_site().start()
    site.upload_push_certificate()
    return site


@pytest.fixture
def closing():
    """closing(x): x.close() when the test ends."""
    made = []

    def add(one):
        made.append(one)
        return one
    yield add
    for one in made:
        one.close()


@pytest.fixture
def new_device(closing):
    """new_device(site, **options): a device that is not enrolled."""
    return lambda site, **options: closing(devices.device_of(site, **options))


@pytest.fixture
def new_phone(new_device):
    """new_phone(site, **options): an enrolled device."""
    return lambda site, **options: devices.enroll(site, new_device(site, **options))


@pytest.fixture(scope="session")
def _steady_phone(shared_site):
    device = devices.enroll(shared_site, devices.device_of(shared_site))
    yield device
    device.close()


@pytest.fixture
def steady_phone(site, _steady_phone):
    """An enrolled device for tests that change nothing about it: one for all of a variant."""
    return _steady_phone


@pytest.fixture
def phone(site, new_phone):
    return new_phone(site)
