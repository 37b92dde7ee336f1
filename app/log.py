"""Logging: structlog on stderr, as console lines or JSON, with secrets filtered out."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from app.settings import LogSettings

_TALKATIVE = ("alembic", "apscheduler", "httpcore", "httpx", "uvicorn")

_HIDDEN = "**********"
_SECRET_NAME = re.compile(
    r"secret|token|password|authorization|api_key|consumer_key", re.IGNORECASE
)
_SECRET_TEXT = re.compile(r"(Bearer\s+|fst_[0-9a-f]+_|://[^/\s:@]+:)[^\s@'\"]+")


def hide_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replace values under secret names, and keys, tokens and passwords inside any text."""
    return {name: _hidden(name, value) for name, value in event.items()}


def _hidden(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name):
        return _HIDDEN
    if isinstance(value, Mapping):
        return {inner: _hidden(str(inner), part) for inner, part in value.items()}
    if isinstance(value, str):
        return _SECRET_TEXT.sub(lambda found: found[1] + _HIDDEN, value)
    return value


def configure(settings: LogSettings) -> None:
    """Send every log line of ours and of the libraries' to stderr in one format."""
    as_json = settings.format == "json" or (settings.format == "auto" and not sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    last: list[Processor] = (
        [structlog.processors.format_exc_info, hide_secrets, structlog.processors.JSONRenderer()]
        if as_json
        else [hide_secrets, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level.upper())
    if settings.level == "info":
        for library in _TALKATIVE:
            logging.getLogger(library).setLevel(logging.WARNING)
