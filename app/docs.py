"""Writes docs/cli.md, docs/settings.md and docs/api.md from the code: `python -m app.docs`."""

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from app import settings
from app.cli import APP, EPILOG
from app.main import DESCRIPTION, create_app

DOCS = Path(__file__).parent.parent / "docs"
_MADE = "<!-- made by `python -m app.docs`; change the code, not this page -->"


def pages() -> dict[str, str]:
    """File name -> text of each page."""
    return {"cli.md": cli_page(), "settings.md": settings_page(), "api.md": api_page()}


def cli_page() -> str:
    """The command line."""
    sections = [_section(path, command) for path, command in commands()]
    return "\n\n".join(["# The command line", _MADE, EPILOG, *sections]) + "\n"


def commands(path: str = "forestage", command: Any = None) -> Iterator[tuple[str, Any]]:
    """Every command with its full name: the root, then each by name."""
    command = command if command is not None else typer.main.get_command(APP)
    yield path, command
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        yield from commands(f"{path} {name}", inner)


def _section(path: str, command: Any) -> str:
    level = "#" * (path.count(" ") + 2)
    shown = "\n".join(_parameter(param) for param in command.params)
    return f"{level} {path}\n\n{inspect.cleandoc(command.help or '')}\n\n{shown}".rstrip()


def _parameter(param: Any) -> str:
    names = ", ".join(f"`{name}`" for name in param.opts)
    if param.param_type_name == "argument":
        names = f"`{param.metavar or param.name.upper()}`"
    must = " (required)" if param.required else ""
    default = param.default
    plain = isinstance(default, str | int | float) and not isinstance(default, bool)
    given = f" Default: `{default}`." if plain else ""
    return f"- {names}{must}: {param.help or ''}{given}"


def settings_page() -> str:
    """The settings."""
    lines = [
        "| variable | default | meaning |",
        "|---|---|---|",
        *(
            f"| `{name}` | {_default(field.default)} | {field.description} |"
            for name, field in settings.variables()
        ),
    ]
    text = inspect.cleandoc(settings.__doc__ or "")
    return "\n\n".join(["# Settings", _MADE, text, "\n".join(lines)]) + "\n"


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if isinstance(value, str | int) else "-"


def api_page() -> str:
    """The API."""
    spec = create_app(settings.load({})).openapi()
    parts = ["# The API", _MADE, DESCRIPTION]
    parts.append(
        "Every path under `/v1` wants `Authorization: Bearer fst_...`. The machine-readable "
        "description is at `/openapi.json`. Errors are `application/problem+json`."
    )
    for path, methods in spec["paths"].items():
        parts += [_operation(path, method, told) for method, told in methods.items()]
    parts.append("## Schemas")
    schemas = spec["components"]["schemas"]
    parts += [_schema(name, told) for name, told in schemas.items() if _is_ours(name)]
    return "\n\n".join(parts) + "\n"


def _is_ours(name: str) -> bool:
    return not name.startswith(("Items_", "HTTPValidation", "Validation"))


def _operation(path: str, method: str, told: Mapping[str, Any]) -> str:
    lines = [f"## {method.upper()} {path}", "", told.get("description", ""), ""]
    for param in told.get("parameters", ()):
        must = " (required)" if param["required"] else ""
        lines.append(f"- `{param['name']}`{must}: {param.get('description', '')}")
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    if body:
        lines.append(f"- body: {_kind(body['schema'])}")
    for status, answer in told["responses"].items():
        content = answer.get("content", {}).get("application/json", {})
        lines.append(f"- answers {status}: {_kind(content.get('schema', {}))}")
    return "\n".join(lines)


def _schema(name: str, told: Mapping[str, Any]) -> str:
    lines = [f"### {name}", "", told.get("description", ""), "", "| field | type | meaning |"]
    lines.append("|---|---|---|")
    for field, schema in told["properties"].items():
        examples = [json.dumps(example) for example in schema.get("examples", ())]
        meaning = schema.get("description", "")
        shown = f" Example: `{examples[0]}`" if examples else ""
        lines.append(f"| `{field}` | {_kind(schema)} | {(meaning + shown).strip()} |")
    return "\n".join(lines)


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        listed = name.removeprefix("Items_").removesuffix("_")
        return name if listed == name else f"`{{items, next}}` of {listed}"
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("const") or schema.get("type") or "any")


def main() -> None:
    """Write the pages."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
