"""Values between JSON and SQLite: checked on the way in, exact on the way out."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors.sandbox.salesforce.errors import ApiError
from connectors.sandbox.salesforce.fields import NUMBERS, Field
from connectors.sandbox.salesforce.ids import as_18

Row = dict[str, Any]
_DATETIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(?:(Z)|([+-])(\d\d):?(\d\d))?\Z", re.IGNORECASE
)
_INT_LIMIT = 2**31


def stamp(at: datetime) -> str:
    """An instant as the API writes it; the text sorts as the instants do."""
    return at.astimezone(UTC).isoformat()[:19] + ".000+0000"


def instant(text: str) -> datetime:
    """The reverse of `stamp`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def read_datetime(text: str) -> datetime | None:
    """An instant as a client may write it (no zone: UTC), None if it is none."""
    found = _DATETIME.match(text)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    except ValueError:
        return None
    if found[4]:
        offset = timedelta(hours=int(found[5]), minutes=int(found[6]))
        moment += -offset if found[4] == "+" else offset
    return moment


def _wrong(field: Field, value: object, expected: str) -> ApiError:
    return ApiError(
        400,
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {expected} from value {value} "
        f"or request may be missing a required field at {field.name}",
    )


def _number(field: Field, value: object) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _wrong(field, value, field.type)
    try:
        number = float(value)
    except ValueError as error:
        raise _wrong(field, value, field.type) from error
    if not math.isfinite(number):
        raise _wrong(field, value, field.type)
    if field.type == "int":
        if not number.is_integer() or abs(number) >= _INT_LIMIT:
            raise _wrong(field, value, "int")
        return int(number)
    if field.precision and abs(number) >= 10 ** (field.precision - field.scale):
        raise ApiError(
            400,
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {value}",
            fields=[field.name],
        )
    return round(number, field.scale)


def _text(field: Field, value: object) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise _wrong(field, value, "string")
    text = str(value)
    if field.length and len(text) > field.length:
        raise ApiError(
            400,
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {text[:1024]} (max length={field.length})",
            fields=[field.name],
        )
    if field.is_restricted and text not in {choice.value for choice in field.picklist}:
        raise ApiError(
            400,
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {text}",
            fields=[field.name],
        )
    return text


def _day(field: Field, value: object) -> str:
    text = str(value)
    moment = read_datetime(text)
    if moment is not None:
        return moment.date().isoformat()
    try:
        return date.fromisoformat(text[:10] if len(text) == len("2026-01-01") else "").isoformat()
    except ValueError as error:
        raise _wrong(field, value, "date") from error


def _reference(field: Field, value: object) -> str:
    found = as_18(value) if isinstance(value, str) else None
    if found is None:
        raise ApiError(
            400,
            "MALFORMED_ID",
            f"{field.label}: id value of incorrect type: {value}",
            fields=[field.name],
        )
    return found


def _boolean(field: Field, value: object) -> int:
    if not isinstance(value, bool) and str(value).lower() not in ("true", "false"):
        raise _wrong(field, value, "boolean")
    return int(str(value).lower() == "true")


def _instant(field: Field, value: object) -> str:
    moment = read_datetime(str(value))
    if moment is None:
        raise _wrong(field, value, "datetime")
    return stamp(moment)


_READERS: Mapping[str, Callable[[Field, object], Any]] = {
    "boolean": _boolean,
    "datetime": _instant,
    "date": _day,
    "id": _reference,
    "reference": _reference,
    **dict.fromkeys(NUMBERS, _number),
}


def to_stored(field: Field, value: object) -> Any:
    """A client's JSON value as it is kept; refused with the API's own code if it can't be.
    An empty string is null, as the API has it.
    """
    if value is None or value == "":
        return 0 if field.type == "boolean" else None
    return _READERS.get(field.type, _text)(field, value)


def to_json(field: Field, value: Any) -> Any:
    """A stored value as the API tells it."""
    return bool(value) if field.type == "boolean" and value is not None else value
