"""What many tests use one after the other: one that died, or was never made, fails one test."""

from typing import Iterator, List

import pytest

from real.shared import Shared


class Thing:
    """Lives until a test ends it."""

    def __init__(self) -> None:
        self.lives = True


def test_one_for_all_until_it_dies() -> None:
    ended: List[Thing] = []

    def make() -> Iterator[Thing]:
        thing = Thing()
        yield thing
        ended.append(thing)

    with Shared(make, lambda thing: thing.lives) as shared:
        with shared.lent() as first:
            pass
        with shared.lent() as again:
            assert again is first
            again.lives = False
        with shared.lent() as second:
            assert second is not first
        assert ended == [first]
        # what its last user could not leave as it was
        with pytest.raises(ValueError, match="broken"), shared.lent():
            raise ValueError("broken")
        with shared.lent() as third:
            assert third is not second
    assert len(ended) == 3


def test_one_that_could_not_be_made_is_tried_again() -> None:
    tries: List[int] = []

    def make() -> Iterator[Thing]:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("not now")
        yield Thing()
        raise OSError("it does not end well")

    with Shared(make, lambda thing: thing.lives) as shared:
        with pytest.raises(OSError, match="not now"), shared.lent():
            pass
        with shared.lent() as thing:
            thing.lives = False
        with shared.lent() as another:
            assert another is not thing
            another.lives = False
        shared.end()
