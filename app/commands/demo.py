"""forestage demo: the main job on a practice CRM, from its history to coaching tasks."""

import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from app import bootstrap, lock
from app.commands import child, scene, serve
from app.commands.screen import Json, err, out, print_json, settings_of
from app.errors import BadInput
from app.services import connect
from app.services.demo import Demo, Outcome, Watch
from app.settings import Settings

NAME = "practice"
SALESFORCE, HUBSPOT = "salesforce", "hubspot"
VENDORS = {SALESFORCE: "Salesforce", HUBSPOT: "HubSpot"}
CREDENTIALS = {
    SALESFORCE: {
        "consumer_key": "forestage-sandbox",
        "consumer_secret": "forestage-sandbox-secret",
    },
    HUBSPOT: {"access_token": "pat-sandbox-forestage"},
}
ADVANCE_SECONDS = 120


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    ctx: typer.Context,
    *,
    crm: Annotated[str, typer.Option(help=f"One of {', '.join(VENDORS)}.")] = SALESFORCE,
    deals: Annotated[int, typer.Option(min=50, help="Deals of the practice CRM.")] = 2000,
    seed: Annotated[int, typer.Option(help="Another seed is another sales organisation.")] = 7,
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep the data here; else it is removed at the end.")
    ] = None,
    serve_after: Annotated[
        bool, typer.Option("--serve", help="Leave it running afterwards, with its API.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the main job on a practice CRM, from two years of history to coaching tasks.

    Starts a practice CRM as a process of its own, reads it, flags late entry,
    slippage and regressions, writes flags and tasks into it, lets two weeks pass and does
    it again; then compares with what was planted. Ends by itself and leaves nothing; exit
    code 1 says that something planted was missed.
    """
    if crm not in VENDORS:
        raise BadInput("--crm", f"{crm!r} is not one of {', '.join(VENDORS)}")
    begun = time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(stopping_on_sigterm())
        directory = _emptied(data_dir) or Path(stack.enter_context(_temporary()))
        settings = settings_of(ctx, data_dir=directory.absolute(), database_url=None)
        console = err() if as_json else out()
        console.print(scene.opening(deals=deals, seed=seed))
        watch = scene.watch(console)
        with watch(f"Start a practice {VENDORS[crm]}") as step:
            running = child.sandbox(directory, crm=crm, deals=deals, seed=seed)
            address, truth = stack.enter_context(running)
            step.tell(address)
        outcome = play(settings, crm, address, truth=truth, watch=watch)
        seconds = round(time.monotonic() - begun, 1)
        if as_json:
            print_json(told(outcome, seconds))
        else:
            scene.show(console, outcome, seconds)
        if serve_after:
            keep_running(console, settings, crm=address)
    if any(tally.missed for tally in outcome.rules.values()):
        raise typer.Exit(1)


def play(settings: Settings, crm: str, address: str, *, truth: Path, watch: Watch) -> Outcome:
    """Connect and run the demo; the data directory is free again afterwards."""
    import httpx

    with bootstrap.opened(settings, purpose="`forestage demo`") as parts:
        with watch("Connect to it") as step:
            config = {"base_url": address, **_told_by_admin(crm, address)}
            row = connect.add(parts, NAME, crm, config=config, secret=CREDENTIALS[crm])
            step.tell(f"{row.account_name} ({row.time_zone}), read only")

        def advance(days: int) -> None:
            url = f"{address}/_sandbox/advance"
            httpx.post(url, json={"days": days}, timeout=ADVANCE_SECONDS).raise_for_status()

        return Demo(parts, row, truth, advance, watch).run()


def _told_by_admin(crm: str, address: str) -> dict[str, Any]:
    """What an admin tells of a CRM that it does not tell itself."""
    import httpx

    if crm != HUBSPOT:
        return {}
    state = httpx.get(f"{address}/_sandbox/state", timeout=ADVANCE_SECONDS).json()
    return {name: state[name] for name in ("managers", "fiscal_year_start_month") if name in state}


def keep_running(console: Console, settings: Settings, *, crm: str) -> None:
    """Serve the demo's data until Ctrl-C; on a free port where the usual one is taken."""
    try:
        listener = serve.listener(settings.server)
    except BadInput:
        listener = serve.listener(settings.server.model_copy(update={"port": 0}))
    api = serve.address_of(listener)
    console.print(scene.left_running(crm=crm, api=api, data_dir=settings.data_dir))
    serve.run_server(settings, listener)


def told(outcome: Outcome, seconds: float) -> dict[str, Any]:
    """The outcome as other programs read it."""
    counts = ("planted", "found", "missed", "false_alarms")
    return {
        "crm": outcome.crm,
        "rules": {
            slug: {name: asdict(tally)[name] for name in counts}
            for slug, tally in outcome.rules.items()
        },
        "flags": len(outcome.standing),
        "tasks": len(outcome.tasks),
        "calls": outcome.calls,
        "seconds": seconds,
    }


def _emptied(data_dir: Path | None) -> Path | None:
    if data_dir is not None:
        lock.prepare(data_dir)
        if any(data_dir.iterdir()):
            raise BadInput("--data-dir", f"{data_dir} is not empty; name a new directory")
    return data_dir


def _temporary() -> AbstractContextManager[str]:
    return tempfile.TemporaryDirectory(prefix="forestage-demo-", ignore_cleanup_errors=True)


@contextmanager
def stopping_on_sigterm() -> Iterator[None]:
    """Leave on SIGTERM as on Ctrl-C: the blocks around clean up."""

    def leave(_signal: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
