"""POST /v1/score and GET /v1/runs/{id}."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response

from app.api.access import EngineOf, PartsOf
from app.api.problems import Problem
from app.api.schemas import Run, RunAsked
from app.errors import NotFound
from app.services import connect
from app.store import runs
from app.store.ids import parse_run_ref, run_ref

ROUTER = APIRouter(tags=["runs"])


def arguments_of(asked: RunAsked) -> dict[str, Any]:
    """What the run is queued with: only what was asked for."""
    return asked.model_dump(mode="json", exclude={"connection"}, exclude_defaults=True)


@ROUTER.post("/score", status_code=202, responses={404: {"model": Problem}})
def score(
    *,
    asked: RunAsked,
    arguments: Annotated[dict[str, Any], Depends(arguments_of)],
    parts: PartsOf,
    engine: EngineOf,
    response: Response,
) -> Run:
    """Queue a scoring run; ask for it at `Location` until it is done."""
    row = connect.chosen(parts, asked.connection)
    with parts.db.write() as conn:
        run_id = runs.enqueue(conn, row.id, "score", arguments, at=parts.clock.now())
        queued = runs.get(conn, run_id)
    engine.wake()
    response.headers["Location"] = f"/v1/runs/{run_ref(run_id)}"
    return Run.of(queued)


@ROUTER.get("/runs/{run_id}", responses={404: {"model": Problem}})
def run(run_id: Annotated[str, Path(description="Its id.")], parts: PartsOf) -> Run:
    """One run: how far it is, and its result."""
    row_id = parse_run_ref(run_id)
    if row_id is None:
        raise NotFound(f"{run_id!r} is no run's id")
    with parts.db.read() as conn:
        return Run.of(runs.get(conn, row_id))
