"""forestage rules: the rules and their limits."""

import inspect
from dataclasses import fields
from typing import Annotated, Any

import typer
from rich.markdown import Markdown

from app.commands.screen import Json, out, print_json, table
from app.errors import NotFound
from rules.deal import DEAL_RULES
from rules.rule import Rule

APP = typer.Typer(help="The rules and their limits.", no_args_is_help=True)


def as_json(rule: Rule) -> dict[str, Any]:
    """A rule with its default limits."""
    return {
        "rule": rule.slug,
        "version": rule.version,
        "title": rule.title,
        "class": rule.rule_class,
        "kind": rule.kind,
        "fresh_days": rule.fresh_days if rule.kind == "event" else None,
        "needs": list(rule.needs),
        "questions": list(rule.questions),
        "limits": {
            field.name: {"default": field.default, **field.metadata}
            for field in fields(rule.limits)
        },
    }


@APP.command("list")
def list_rules(*, as_json_too: Json = False) -> None:
    """List the rules."""
    if as_json_too:
        print_json({"items": [as_json(rule) for rule in DEAL_RULES], "next": None})
        return
    rows = [(rule.slug, rule.rule_class, rule.kind, rule.title) for rule in DEAL_RULES]
    out().print(table("rule", "class", "kind", "what it detects", rows=rows))


@APP.command("show")
def show(
    slug: Annotated[str, typer.Argument(metavar="RULE", help="The rule's slug.")],
    *,
    as_json_too: Json = False,
) -> None:
    """Show one rule: what it looks at, why it matters, what to ask, its limits."""
    rule = next((rule for rule in DEAL_RULES if rule.slug == slug), None)
    if rule is None:
        known = ", ".join(rule.slug for rule in DEAL_RULES)
        raise NotFound(f"no rule is called {slug!r}; the rules are {known}")
    if as_json_too:
        print_json(as_json(rule))
        return
    out().print(f"[bold]{rule.slug}[/] (version {rule.version}, {rule.rule_class}, {rule.kind})")
    out().print(Markdown(inspect.cleandoc(rule.doc)))
    limits = as_json(rule)["limits"]
    rows = [(name, told["default"], told["reason"]) for name, told in limits.items()]
    out().print()
    out().print(table("limit", "default", "why", rows=rows))
