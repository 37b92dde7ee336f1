"""forestage sandbox: a practice CRM on loopback."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.bootstrap import serve_sandbox
from app.commands.screen import err


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(sandbox)


def sandbox(
    *,
    crm: Annotated[str, typer.Option(help="Which CRM's API it speaks.")] = "salesforce",
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8090,
    deals: Annotated[int, typer.Option(min=1, help="Deals that its organisation has.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same history.")] = 1,
    truth: Annotated[
        Path | None, typer.Option(help="Write what was planted, as JSON lines, to this file.")
    ] = None,
    state_dir: Annotated[
        Path | None, typer.Option(help="Keep its state here; else it is forgotten at the end.")
    ] = None,
) -> None:
    """Run a practice CRM: one simulated sales organisation behind a vendor's HTTP API.

    It prints its address on stdout when it is ready and runs until Ctrl-C. Sign in with
    the client credentials forestage-sandbox / forestage-sandbox-secret; to a practice
    HubSpot with the token pat-sandbox-forestage, or with those and the refresh token
    forestage-sandbox-refresh.
    """
    err().print(f"Making {deals:,} deals of two years (seed {seed}) ...", style="dim")
    serve_sandbox(
        crm, port=port, deals=deals, seed=seed, truth=truth, state_dir=state_dir, on_ready=_ready
    )


def _ready(base_url: str) -> None:
    sys.stdout.write(base_url + "\n")
    sys.stdout.flush()
