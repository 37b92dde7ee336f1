"""Named limits of rules: defaults with their reasons, overrides checked, values as columns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from rules.deal import DEAL_RULES
from rules.rule import Bound


class LimitError(ValueError):
    """An override that can't be used. `field` says where, the message what to write instead."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


_KNOWN: Mapping[str, Any] = {rule.slug: rule.limits for rule in DEAL_RULES}


@dataclass(frozen=True, slots=True)
class Limits:
    """Immutable overrides of a connection: `{slug: {limit: value}}`, all names known."""

    overrides: Mapping[str, Mapping[str, float]]

    @classmethod
    def load(cls, overrides: Mapping[str, Any]) -> "Limits":
        """Checks and takes overrides; {} is all defaults. Raises LimitError."""
        checked = {}
        for slug, values in overrides.items():
            if slug not in _KNOWN:
                raise LimitError(slug, f"there is no such rule{_nearest(slug, _KNOWN)}")
            if not isinstance(values, Mapping):
                raise LimitError(slug, "give a table of limits and values")
            checked[slug] = {
                name: _check(f"{slug}.{name}", value, _KNOWN[slug])
                for name, value in values.items()
            }
        return cls(checked)

    def bind(self, slug: str, limits: Any) -> Bound:
        """The limits of one rule as expressions, defaults where nothing overrides them."""
        defaults = limits()
        values: dict[str, float] = {
            spec.name: getattr(defaults, spec.name) for spec in fields(limits)
        }
        return Bound(values | dict(self.overrides.get(slug, {})))


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0)
    return f"; did you mean {near[0]!r}?" if near else ""


def _check(where: str, value: Any, limits: Any) -> float:
    specs = {spec.name: spec for spec in fields(limits)}
    name = where.rpartition(".")[2]
    if name not in specs:
        raise LimitError(where, f"there is no such limit{_nearest(name, specs)}")
    spec = specs[name]
    expected: Any = type(spec.default)
    accepted = (int, float) if expected is float else (expected,)
    if not isinstance(value, accepted) or (isinstance(value, bool) and expected is not bool):
        raise LimitError(where, f"must be {_KINDS[expected]}, not {value!r}")
    floor, ceiling = spec.metadata["floor"], spec.metadata["ceiling"]
    _within(where, value, at_least=floor, at_most=ceiling)
    checked: float = expected(value)
    return checked


_KINDS: Mapping[Callable[..., Any], str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


def _within(where: str, value: float, *, at_least: float | None, at_most: float | None) -> None:
    if at_least is not None and not value >= at_least:
        raise LimitError(where, f"must be at least {at_least:g}")
    if at_most is not None and not value <= at_most:
        raise LimitError(where, f"must be at most {at_most:g}")
