"""One private Cobbler with the pack for all tests that don't need one of their own."""

from typing import Iterator

import pytest

from private_cobbler import PrivateCobbler
from real.server import Server, must_be_built


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    must_be_built()


@pytest.fixture(scope="session")
def _shared() -> Iterator[Server]:
    with PrivateCobbler() as cobbler:
        server = Server(cobbler)
        server.install()
        server.add_releases()
        yield server


@pytest.fixture
def server(_shared: Server) -> Iterator[Server]:
    """A Cobbler with the pack, a profile for each release, and no system."""
    _shared.mark()
    yield _shared
    _shared.remove_all()


@pytest.fixture
def fresh() -> Iterator[Server]:
    """A Cobbler as it comes: nobody has installed anything."""
    with PrivateCobbler() as cobbler:
        yield Server(cobbler)
