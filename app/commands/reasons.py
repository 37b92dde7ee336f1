"""What `forestage explain` shows: each rule's answer about a deal, and the deal's history."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from app.commands.screen import SEVERITY_STYLE
from app.services.explain import Explanation, Verdict

_MARKS = {"flagged": "FLAGGED", "held": "held", "decided": "decided", "error": "failed"}
_LAST = 25


def of(found: Explanation) -> RenderableType:
    """The whole answer."""
    deal = found.deal
    owner = deal.owner or "nobody"
    head = Text.assemble((deal.name, "bold"), f"  {deal.stage}, {owner}, {deal.crm_id}")
    parts: list[RenderableType] = [head]
    for verdict in found.verdicts:
        parts += [Text(), *_verdict(verdict)]
    for notice in found.notices:
        parts += [Text(), Text.assemble(("notice  ", "bold"), notice)]
    parts += [Text(), _history(found.timeline)]
    return Group(*parts)


def _verdict(verdict: Verdict) -> Sequence[RenderableType]:
    style = SEVERITY_STYLE[verdict.severity] if verdict.severity else "dim"
    mark = (_MARKS.get(verdict.answer, "quiet"), style)
    lines: list[RenderableType] = [
        Text.assemble(mark, f"  {verdict.rule}: ", (verdict.because, "dim"))
    ]
    if verdict.sentence:
        lines.append(Padding(Text(verdict.sentence), (0, 0, 0, 4)))
    if verdict.evidence:
        lines.append(Padding(rows(verdict.evidence), (0, 0, 0, 4)))
    return lines


def rows(evidence: Sequence[Mapping[str, Any]]) -> Table:
    """Rows of evidence or history: when, what, who."""
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(no_wrap=True, style="dim")
    made.add_column(overflow="fold")
    made.add_column(overflow="fold", style="dim")
    for item in evidence:
        made.add_row(item["at"][:10], Text(_what(item)), Text(item["by"] or ""))
    return made


def _what(item: Mapping[str, Any]) -> str:
    field = str(item.get("field") or "").replace("_", " ")
    label = f"{field}: " if field else ""
    if item["kind"] == "change" and item["old"] is None:
        return f"{label}entered as {item['new']}"
    if item["kind"] == "change":
        return f"{label}{item['old']} -> {item['new'] or 'none'}"
    return str(item.get("new") or item["kind"])


def _history(told: Sequence[Mapping[str, Any]]) -> RenderableType:
    # A field that is empty from the beginning is no news.
    timeline = [row for row in told if row["kind"] != "change" or row["old"] or row["new"]]
    left = len(timeline) - _LAST
    title = "History" + (f" (the last {_LAST}; {left} older with --json)" if left > 0 else "")
    return Group(Text(title, style="bold"), Padding(rows(timeline[-_LAST:]), (0, 0, 0, 4)))
