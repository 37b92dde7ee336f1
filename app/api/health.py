"""GET /healthz and /readyz: whether the process lives, and whether it can do its work."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from sqlalchemy.exc import SQLAlchemyError

from app.api.access import EngineOf, PartsOf
from app.api.schemas import Health, Readiness
from app.services.parts import Engine, Parts

ROUTER = APIRouter(tags=["health"])


@ROUTER.get("/healthz")
def healthz() -> Health:
    """The process answers."""
    return Health(status="ok")


def checks(parts: PartsOf, engine: EngineOf) -> dict[str, str]:
    """Each part by name: `ok`, or what is wrong with it."""
    return {**_store(parts), **_engine(engine)}


@ROUTER.get("/readyz", responses={503: {"model": Readiness}})
def readyz(found: Annotated[dict[str, Any], Depends(checks)], response: Response) -> Readiness:
    """Database, migration, worker and clock, as they are at this moment; 503 where one is not."""
    ready = all(told == "ok" for told in found.values())
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, checks=found)


def _store(parts: Parts) -> dict[str, str]:
    try:
        current = parts.db.revision_is_current()
    except SQLAlchemyError as error:
        return {"database": type(error).__name__, "migration": "unknown"}
    return {"database": "ok", "migration": "ok" if current else "not of this release"}


def _engine(engine: Engine) -> dict[str, str]:
    return {name: "ok" if alive else "stopped" for name, alive in engine.state().items()}
