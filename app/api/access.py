"""Who may ask, and what a handler is given."""

from typing import Annotated

from fastapi import Depends, HTTPException, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.services import connect
from app.services import keys as service
from app.services.parts import Engine, Parts
from app.store.connections import ConnectionRow

_BEARER = HTTPBearer(
    auto_error=False, scheme_name="key", description="An API key of Forestage: `fst_...`"
)


def parts_of(request: Request) -> Parts:
    """The parts that the service runs on."""
    parts: Parts = request.app.state.parts
    return parts


def engine_of(request: Request) -> Engine:
    """What does the queued runs."""
    engine: Engine = request.app.state.engine
    return engine


PartsOf = Annotated[Parts, Depends(parts_of)]
EngineOf = Annotated[Engine, Depends(engine_of)]


def admin(
    parts: PartsOf, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> str:
    """The name of the caller's key; 401 without a good one."""
    name = service.holder(parts, given.credentials) if given is not None else None
    if name is None:
        detail = "send a key of this Forestage: Authorization: Bearer fst_..."
        raise HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})
    return name


def connection_of(
    parts: PartsOf,
    connection: Annotated[
        str | None, Query(description="Its name; not needed where there is only one.")
    ] = None,
) -> ConnectionRow:
    """The connection that the request is about."""
    return connect.chosen(parts, connection)


ConnectionOf = Annotated[ConnectionRow, Depends(connection_of)]
