"""forestage serve: API, clock and worker in one process."""

from typing import Annotated, Any

import typer
import uvicorn

from app import lock, log
from app.commands.screen import err, settings_of
from app.main import create_app
from app.settings import Settings


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
    with lock.held(settings.data_dir, "`forestage serve`"):
        pass  # fail here, with one clear line, rather than inside the server
    run_server(settings)


def run_server(settings: Settings) -> None:
    """Serve until a signal comes."""
    config = uvicorn.Config(
        create_app(settings),
        host=settings.server.host,
        port=settings.server.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.server.stop_seconds,
    )
    address = f"http://{settings.server.host}:{settings.server.port}"
    err().print(f"Forestage serves {settings.data_dir} on {address} (Ctrl-C stops it)")
    uvicorn.Server(config).run()
