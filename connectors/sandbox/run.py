"""Runs a practice CRM as a process of its own, on loopback, until it is told to stop."""

import argparse
import signal
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from connectors.sandbox.hubspot.api import Api as HubSpotApi
from connectors.sandbox.hubspot.practice import Practice as HubSpotPractice
from connectors.sandbox.loopback import LoopbackServer
from connectors.sandbox.salesforce.api import Api as SalesforceApi
from connectors.sandbox.salesforce.practice import Practice as SalesforcePractice

CRMS = ("salesforce", "hubspot")
Practice = SalesforcePractice | HubSpotPractice
Api = SalesforceApi | HubSpotApi


def serve(
    *,
    crm: str = "salesforce",
    port: int = 0,
    deals: int = 2000,
    seed: int = 1,
    truth: Path | None = None,
    state_dir: Path | None = None,
    tracked_days: int | None = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the practice CRM on 127.0.0.1 until SIGTERM or SIGINT (or, outside the main
    thread, for ever).

    `state_dir` keeps everything: a directory that has an organisation already is opened
    as it is, whatever `deals` and `seed`. None: a directory that is gone at the end.
    `tracked_days`: a new Salesforce has kept field history for so long; None: it keeps none.
    `truth` receives JSON lines `{deal, rule, at, decoy, kind}`, anew after each advance.
    `on_ready` gets the base address. ValueError if there is no such CRM.
    """
    if crm not in CRMS:
        raise ValueError(f"no practice CRM {crm!r}: choose from {', '.join(CRMS)}")
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="sandbox-") as own:
        practice, api = _open(
            crm,
            state_dir or Path(own),
            seed=seed,
            deals=deals,
            truth=truth,
            tracked_days=tracked_days,
        )
        server = LoopbackServer(api.handle, practice.clock, port)
        api.base_url = server.base_url
        if on_ready is not None:
            on_ready(server.base_url)
        server.run(stop)
        practice.store.close()


def _open(
    crm: str,
    state_dir: Path,
    *,
    seed: int,
    deals: int,
    truth: Path | None,
    tracked_days: int | None,
) -> tuple[Practice, Api]:
    practice: Practice
    if crm == "hubspot":
        practice = HubSpotPractice(state_dir, seed=seed, deals=deals)
        api: Api = HubSpotApi(practice, lambda: _write_truth(practice, truth))
    else:
        practice = SalesforcePractice(state_dir, seed=seed, deals=deals, tracked_days=tracked_days)
        api = SalesforceApi(practice, lambda: _write_truth(practice, truth))
    _write_truth(practice, truth)
    return practice, api


def _write_truth(practice: Practice, path: Path | None) -> None:
    if path is not None:
        lines = "\n".join(practice.truth()) + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lines, encoding="utf-8")


def main() -> None:
    """`python -m connectors.sandbox.run`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crm", choices=CRMS, default="salesforce")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--deals", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--truth", type=Path, help="write what was planted to this file")
    parser.add_argument("--state", type=Path, help="directory that keeps everything")
    parser.add_argument(
        "--field-history-days",
        type=int,
        help="Salesforce: field history has been on for so long; without it, it is off",
    )
    given = parser.parse_args()
    serve(
        crm=given.crm,
        port=given.port,
        deals=given.deals,
        seed=given.seed,
        truth=given.truth,
        state_dir=given.state,
        tracked_days=given.field_history_days,
        on_ready=lambda url: print(url, flush=True),  # noqa: T201 -- the address is the output
    )


if __name__ == "__main__":
    main()
