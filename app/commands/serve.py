"""forestage serve: API, clock and worker in one process."""

import signal
import socket
from signal import SIGINT, SIGTERM
from typing import Annotated, Any

import typer

from app import bootstrap, log
from app.commands.screen import err, settings_of
from app.errors import BadInput
from app.settings import ServerSettings, Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    ctx: typer.Context,
    *,
    host: Annotated[str | None, typer.Option(help="Address; else FORESTAGE_SERVER_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; else FORESTAGE_SERVER_PORT; 0 takes a free one.")
    ] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Consent to an address beyond this machine.")
    ] = False,
) -> None:
    """Run the service: the API, the clock that syncs and scores, and the worker.

    Stops gracefully on Ctrl-C or SIGTERM; a run in progress is taken up at the next start.
    At the first start ever the admin key of the API is printed.
    """
    given: dict[str, Any] = {"host": host, "port": port, "allow_remote": allow_remote or None}
    server = {name: value for name, value in given.items() if value is not None}
    settings = settings_of(ctx, **({"server": server} if server else {}))
    if "level" not in settings.log.model_fields_set:
        log.configure(settings.log.model_copy(update={"level": "info"}))
    with bootstrap.opened(settings, purpose="`forestage serve`") as parts:
        parts.secrets()  # a clear line now, rather than a traceback out of the server
    listening = listener(settings.server)
    err().print(
        f"Forestage serves {settings.data_dir} at {address_of(listening)} (Ctrl-C stops it)",
        soft_wrap=True,
    )
    run_server(settings, listening)


def listener(server: ServerSettings) -> socket.socket:
    """A socket bound to the configured address. BadInput where it is taken."""
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    try:
        return socket.create_server((server.host, server.port), family=family)
    except OSError as error:
        raise BadInput(
            "FORESTAGE_SERVER_PORT", f"{server.host}:{server.port}: {error.strerror}"
        ) from None


def address_of(listening: socket.socket) -> str:
    """Its address as a URL."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run_server(settings: Settings, listening: socket.socket) -> None:
    """Serve until Ctrl-C or SIGTERM, then stop gracefully."""
    # Half a second of imports, for this command alone.
    import uvicorn

    from app.main import create_app

    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=settings.server.stop_seconds,
    )
    # The server gives a signal back once it has stopped: by then everything is closed.
    before = {number: signal.signal(number, _stopped) for number in (SIGINT, SIGTERM)}
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stopped(_signal: int, _frame: Any) -> None:
    """Nothing is left to do."""
