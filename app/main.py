"""create_app(settings): the service as an ASGI application, with its worker and clock."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import Depends, FastAPI
from pydantic import SecretStr

from app.api import connections, deals, flags, health, notices, problems, runs
from app.api.access import admin
from app.bootstrap import opened
from app.jobs.engine import JobEngine
from app.services.keys import first_key
from app.settings import Settings

DESCRIPTION = (
    "Flags, deals with their timelines, and runs of Forestage. Instants are ISO 8601 in UTC, "
    "money is a decimal string with its ISO code, ids of ours are opaque and the CRM's are "
    "called `crm_id`. Lists are `{items, next}`: pass `next` as `after` to go on."
)


def create_app(
    settings: Settings, *, announce: Callable[[SecretStr], None] | None = None
) -> FastAPI:
    """The application; entering its lifespan takes the data directory's lock.

    `announce` is called once ever, with the first admin key; by default it is printed.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with opened(settings, purpose="`forestage serve`") as parts:
            key = first_key(parts)
            if key is not None:
                (announce or print_key)(key)
            engine = JobEngine(
                parts,
                sync_minutes=settings.schedule.sync_minutes,
                stop_seconds=settings.server.stop_seconds,
            )
            app.state.parts, app.state.engine = parts, engine
            engine.start()
            try:
                yield
            finally:
                engine.stop()

    app = FastAPI(
        title="Forestage",
        version=version("forestage"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    app.include_router(health.ROUTER)
    for of in (flags, notices, deals, runs, connections):
        app.include_router(
            of.ROUTER,
            prefix="/v1",
            dependencies=[Depends(admin)],
            responses={401: {"model": problems.Problem}, 422: {"model": problems.Problem}},
        )
    return app


def print_key(key: SecretStr) -> None:
    """The admin key on stderr: the only time that it is shown."""
    sys.stderr.write(
        f"\nAdmin key of this Forestage, shown this once:\n\n    {key.get_secret_value()}\n\n"
        "Send it as `Authorization: Bearer ...`; `forestage keys` makes and removes others.\n\n"
    )
