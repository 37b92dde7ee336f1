"""How long work tells how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Called now and then by long work; must return at once."""

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """`step`: a plain word (deals, history); `total` None: not known."""
        ...


def silent(step: str, done: int, total: int | None) -> None:
    """Tell nobody."""
