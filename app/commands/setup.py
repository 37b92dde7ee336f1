"""forestage setup and undo: what Forestage assumes of and installs in a CRM, and the way back."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Group, RenderableType
from rich.text import Text

from app.commands.runs import told
from app.commands.screen import (
    ConnectionName,
    DryRun,
    Json,
    facts,
    opened,
    out,
    print_json,
    progress_bar,
    settings_of,
    table,
)
from app.errors import BadInput
from app.services import connect
from app.services import setup as service
from app.services.parts import Crm, Parts
from app.services.undo import undo as take_back
from app.store.connections import ConnectionRow


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(setup)
    app.command()(undo)


Propose = Annotated[
    bool, typer.Option("--propose", help="Print what is proposed, and change nothing.")
]
Accept = Annotated[
    Path | None,
    typer.Option(help="Accept this file: a proposal (`--propose --json`), edited or not."),
]
AcceptProposals = Annotated[
    bool, typer.Option("--accept-proposals", help="Accept the proposals as they are.")
]
Deploy = Annotated[
    bool, typer.Option("--deploy", help="Install the package in the CRM (an admin's session).")
]


def setup(
    ctx: typer.Context,
    *,
    connection: ConnectionName = None,
    propose: Propose = False,
    accept: Accept = None,
    accept_proposals: AcceptProposals = False,
    deploy: Deploy = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Propose and confirm stage roles, expected entry stages and segments; install the package.

    Run it after the first sync. Without an option it proposes. Accepting stores what was
    accepted and by whom; nothing is written to the CRM except by `--deploy`, which uses an
    admin's session token from FORESTAGE_ADMIN_TOKEN, else the connection's own credentials.
    """
    if sum((propose, accept is not None, accept_proposals)) > 1:
        raise BadInput("--accept", "give one of --propose, --accept and --accept-proposals")
    accepts = accept is not None or accept_proposals
    asks_only = propose or dry_run or not (accepts or deploy)
    with opened(ctx, purpose=None if asks_only else "`forestage setup`") as parts:
        row = connect.chosen(parts, connection)
        done: dict[str, Any] = {"connection": row.name}
        if asks_only and not deploy:
            done["proposal"] = _proposal(parts, row, accept).as_json()
        elif accepts and not dry_run:
            done["accepted"] = _accept(parts, row, accept)
        if deploy:
            installer = _admin(parts, row).setup()
            done["missing" if dry_run else "installed"] = list(
                installer.missing() if dry_run else installer.install()
            )
    if as_json:
        print_json(done.get("proposal", done))
    else:
        _show(done)


def _show(done: Mapping[str, Any]) -> None:
    if "proposal" in done:
        out().print(_shown(done["proposal"]))
        out().print(
            "Accept it with --accept-proposals; or edit what --propose --json prints and "
            "--accept that file.",
            style="dim",
        )
    if "accepted" in done:
        out().print(f"Accepted for [bold]{done['connection']}[/]; score again to use it.")
    for word in ("missing", "installed"):
        if word in done:
            told = ", ".join(done[word]) or "nothing, all is there"
            out().print(Text(f"{word.capitalize()}: {told}."))


def _shown(proposal: Mapping[str, Any]) -> RenderableType:
    """A proposal for a person."""
    parts: list[RenderableType] = []
    for pipeline in proposal["pipelines"]:
        rows = [
            (stage["label"], stage["position"], stage["role"] or "unknown")
            for stage in pipeline["stages"]
        ]
        entry = pipeline["expected_entry"]
        title = (f"{pipeline['name']}", "bold"), f": deals are expected to enter at {entry or 0}"
        parts += [Text.assemble(*title), table("stage", "position", "role", rows=rows), Text()]
    names = {pipeline["crm_id"]: pipeline["name"] for pipeline in proposal["pipelines"]}
    segments = [
        (segment["deal_type"], names.get(segment["pipeline"], "any"), segment["segment"])
        for segment in proposal["segments"]
    ]
    if segments:
        parts += [table("deal type", "pipeline", "segment", rows=segments), Text()]
    return Group(*parts)


def _admin(parts: Parts, row: ConnectionRow) -> Crm:
    """The CRM with an admin's session token where one is given, else as it is connected."""
    token = os.environ.get("FORESTAGE_ADMIN_TOKEN")
    if not token or row.secret is None:
        return parts.crm(row)
    # The connection's own credentials tell whom the package is installed for.
    secret = {**parts.secrets().open(row.secret), "access_token": token}
    return parts.open_crm(row.crm, row.config, secret, keeper=parts.keeper(row))


def _accept(parts: Parts, row: ConnectionRow, file: Path | None) -> dict[str, Any]:
    proposal = _proposal(parts, row, file)
    service.accept(parts.db, row.id, proposal, by="admin", clock=parts.clock)
    return proposal.as_json()


def _proposal(parts: Parts, row: ConnectionRow, file: Path | None) -> service.SetupProposal:
    if file is None:
        return service.propose(parts.db, row.id)
    return service.SetupProposal.from_json(_read(file))


def _read(file: Path) -> Any:
    try:
        return orjson.loads(file.read_bytes())
    except OSError as error:
        raise BadInput("--accept", f"{file}: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise BadInput("--accept", f"{file}: line {error.lineno}: {error.msg}") from None


def undo(
    ctx: typer.Context,
    *,
    connection: ConnectionName = None,
    export: Annotated[
        Path | None,
        typer.Option(help="A new file for what is removed (JSON lines); else in the data dir."),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Remove from the CRM what Forestage wrote there, after exporting it.

    What people edited is kept. The connection goes back to mode `observe`.
    """
    with (
        opened(ctx, purpose=None if dry_run else "`forestage undo`") as parts,
        progress_bar() as progress,
    ):
        row = connect.chosen(parts, connection)
        progress("reading what stands", 0, None)
        file = f"undo-{row.name}-{parts.clock.now():%Y%m%dT%H%M%SZ}.jsonl"
        with parts.counted(row, dry_run=dry_run) as crm:
            report = take_back(
                parts.db,
                row.id,
                crm.writer(),
                clock=parts.clock,
                export=export or settings_of(ctx).data_dir / file,
                dry_run=dry_run,
            )
    if as_json:
        print_json(report.as_json())
    else:
        shown = report.as_json()
        errors = shown.pop("errors")
        out().print(
            facts(
                [(name, told("none" if value is None else value)) for name, value in shown.items()]
            )
        )
        for words in errors:
            out().print(Text.assemble(("refused: ", "yellow"), words))
