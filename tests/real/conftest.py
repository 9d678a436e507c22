"""One private Cobbler with the pack for all tests that don't need one of their own."""

from typing import Iterator

import pytest

from private_cobbler import PrivateCobbler
from real.server import Server, must_be_built
from real.shared import Shared


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    must_be_built()


def _make() -> Iterator[Server]:
    with PrivateCobbler() as cobbler:
        server = Server(cobbler)
        server.install()
        server.add_releases()
        yield server


@pytest.fixture(scope="session")
def _shared() -> Iterator[Shared[Server]]:
    with Shared(_make, Server.answers) as shared:
        yield shared


@pytest.fixture
def server(_shared: Shared[Server]) -> Iterator[Server]:
    """A Cobbler with the pack, a profile for each release, and no system."""
    with _shared.lent() as server:
        server.mark()
        yield server
        server.remove_all()


@pytest.fixture
def fresh() -> Iterator[Server]:
    """A Cobbler as it comes: nobody has installed anything."""
    with PrivateCobbler() as cobbler:
        yield Server(cobbler)
