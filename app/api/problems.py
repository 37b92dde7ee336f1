"""Errors as problem+json (RFC 9457), with types that programs may rely on."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from app.errors import BadInput, Conflict, CrmTrouble, ForestageError, NotFound
from app.services.parts import trouble
from connectors.errors import ConnectorError

MEDIA_TYPE = "application/problem+json"
_TYPES = {
    BadInput: "bad-input",
    NotFound: "not-found",
    Conflict: "conflict",
    CrmTrouble: "crm-trouble",
}
_BY_STATUS = {
    401: "unauthorised",
    404: "not-found",
    405: "method-not-allowed",
    503: "not-ready",
}

logger = structlog.get_logger(__name__)


class Problem(BaseModel):
    """What went wrong."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:forestage:problem:bad-input",
                "title": "Bad input",
                "status": 422,
                "detail": "limit: Input should be less than or equal to 1000",
                "field": "limit",
            }
        }
    )

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None


def problem(
    status: int, kind: str, detail: str, *, field: str | None = None, **headers: str
) -> JSONResponse:
    """A problem response; `kind` is the last part of its type."""
    body = Problem(
        type=f"urn:forestage:problem:{kind}",
        title=kind.replace("-", " ").capitalize(),
        status=status,
        detail=detail,
        field=field,
    )
    return JSONResponse(
        body.model_dump(exclude_none=True), status, headers=headers, media_type=MEDIA_TYPE
    )


def install(app: FastAPI) -> None:
    """Answer every error of `app` as a problem."""

    @app.exception_handler(ForestageError)
    def _ours(_request: Request, error: ForestageError) -> JSONResponse:
        kind = _TYPES.get(type(error), "internal")
        return problem(error.status, kind, str(error), field=getattr(error, "field", None))

    @app.exception_handler(ConnectorError)
    def _crm(_request: Request, error: ConnectorError) -> JSONResponse:
        told = trouble(error)
        return problem(told.status, "crm-trouble", str(told))

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        # Of a body that is no JSON the second part is a position.
        named = [part for part in first["loc"][1:2] if isinstance(part, str)]
        field = named[0] if named else "body"
        return problem(422, "bad-input", f"{field}: {first['msg']}", field=field)

    @app.exception_handler(HTTPException)
    def _http(_request: Request, error: HTTPException) -> JSONResponse:
        kind = _BY_STATUS.get(error.status_code, "http")
        return problem(error.status_code, kind, str(error.detail), **dict(error.headers or {}))

    @app.exception_handler(Exception)
    def _unforeseen(request: Request, error: Exception) -> JSONResponse:
        logger.error("request failed", path=request.url.path, exc_info=error)
        return problem(500, "internal", "an error of ours; the log has more")
