"""Renders a rule's page from its docstring, its limits and its cases.

`python -m rules.docs` writes docs/rules/ anew; a test fails when a page is stale.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from rules.deal import DEAL_RULES
from rules.rule import Rule

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "rules" / "cases"
PAGES = ROOT / "docs" / "rules"
_SETTINGS = ("deals", "segment", "created_by", "expected_entry", "fiscal_start_month", "time_zone")


def render(rule: Rule, cases: Mapping[str, Any]) -> str:
    """A Markdown page; `cases` is the rule's case file: lists under `fires`, `stays_quiet`."""
    fires, quiet = cases["fires"], cases["stays_quiet"]
    lines = [
        f"# {rule.title}",
        "",
        f"`{rule.slug}`, version {rule.version}: {rule.rule_class}, {rule.kind}.",
        f"Needs {', '.join(rule.needs)}.",
        *(f"Without {need}, {cost}." for need, cost in rule.partly.items()),
        "",
        rule.doc.partition("\n")[2].strip(),
        "",
        "## Settings",
        "",
        *_limits(rule.limits),
        "",
        "## When it fires",
        "",
        *_cases(fires),
        "## When it stays quiet",
        "",
        *_cases(quiet),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _limits(limits: Any) -> Iterator[str]:
    yield "| limit | default | from | to | why |"
    yield "|---|---|---|---|---|"
    for spec in fields(limits):
        about = spec.metadata
        yield (
            f"| `{spec.name}` | {spec.default} | {about['floor']} | {about['ceiling']} "
            f"| {about['reason']} |"
        )


def _cases(cases: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for case in cases:
        name = case["name"][0].upper() + case["name"][1:]
        verdict = f" ({case['severity']})" if "severity" in case else ""
        yield f"{name}{verdict}:"
        yield ""
        yield "```text"
        yield from (f"{key}: {case[key]}" for key in (*_SETTINGS, "limits", "as_of") if key in case)
        yield case["story"].rstrip()
        yield "```"
        yield ""


def index(rules: Sequence[Rule]) -> str:
    """The page that lists all rules."""
    rows = [
        f"| [{rule.slug}]({rule.slug}.md) | {rule.title} | {rule.rule_class}, {rule.kind} |"
        for rule in rules
    ]
    head = ["# Rules", "", "| rule | what it says | class, kind |", "|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def pages(cases: Path = CASES) -> Mapping[str, str]:
    """All pages by file name."""
    import yaml

    written = {"README.md": index(DEAL_RULES)}
    for rule in DEAL_RULES:
        told = yaml.safe_load((cases / f"{rule.slug}.yaml").read_text(encoding="utf-8"))
        written[f"{rule.slug}.md"] = render(rule, told)
    return written


def main() -> None:
    """Writes the pages."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (PAGES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
