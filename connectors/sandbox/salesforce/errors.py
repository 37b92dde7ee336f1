"""Errors as the API says them: an HTTP status and a list of code, message and fields."""

from collections.abc import Sequence
from typing import Any


class ApiError(Exception):
    """A refused call; `body()` is what goes over the wire."""

    def __init__(
        self, status: int, code: str, message: str, *, fields: Sequence[str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def body(self) -> list[dict[str, Any]]:
        """The list that Salesforce answers a failed call with."""
        entry: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            entry["fields"] = list(self.fields)
        return [entry]

    def row(self) -> dict[str, Any]:
        """The same, as one error of one row in a collection's reply."""
        return {
            "statusCode": self.code,
            "message": self.message,
            "fields": list(self.fields or ()),
        }


class MultipleChoices(ApiError):
    """An external id that several records carry: 300 and their addresses."""

    def __init__(self, urls: Sequence[str]) -> None:
        super().__init__(300, "DUPLICATE_EXTERNAL_ID", "Duplicate external id")
        self.urls = list(urls)


def malformed(message: str) -> ApiError:
    """A query that can't be read."""
    return ApiError(400, "MALFORMED_QUERY", message)


def no_such_column(field: str, entity: str) -> ApiError:
    """A field that does not exist or that the caller may not see: the API doesn't tell."""
    return ApiError(
        400,
        "INVALID_FIELD",
        f"No such column '{field}' on entity '{entity}'. If you are attempting to use a custom "
        "field, be sure to append the '__c' after the custom field name. Please reference your "
        "WSDL or the describe call for the appropriate names.",
    )


def no_such_object(name: str) -> ApiError:
    """An object that does not exist, in a query."""
    return ApiError(
        400,
        "INVALID_TYPE",
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, "
        "be sure to append the '__c' after the entity name. Please reference your WSDL or the "
        "describe call for the appropriate names.",
    )


def not_found(message: str = "The requested resource does not exist") -> ApiError:
    """Nothing at this address."""
    return ApiError(404, "NOT_FOUND", message)
