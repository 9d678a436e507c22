"""What many tests use one after the other, made anew where it no longer serves."""

import contextlib
from types import TracebackType
from typing import Callable, Generic, Iterator, Optional, Type, TypeVar

Thing = TypeVar("Thing")


class Shared(Generic[Thing]):
    """One for many tests: what one of them has broken, or could not make, the next makes anew."""

    def __init__(
        self, make: Callable[[], Iterator[Thing]], serves: Callable[[Thing], bool]
    ) -> None:
        """``make`` yields one and then ends it, as a fixture does."""
        self._make = contextlib.contextmanager(make)
        self._serves = serves
        self._ends = contextlib.ExitStack()
        self._thing: Optional[Thing] = None

    def __enter__(self) -> "Shared[Thing]":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._thing = None
        self._ends.close()

    @contextlib.contextmanager
    def lent(self) -> Iterator[Thing]:
        """The one, for a test that begins; where its begin or its end fails there it is no more."""
        if self._thing is None or not self._serves(self._thing):
            self.end()
            self._thing = self._ends.enter_context(self._make())
        try:
            yield self._thing
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """End it; one that has died does not end well."""
        self._thing = None
        with contextlib.suppress(Exception):
            self._ends.close()
