"""Errors that a person outside can act on. Each names the field or thing at fault.

ForestageError
+-- BadInput        what was given is wrong; `field` names it        (CLI exit 2, HTTP 422)
+-- NotFound        the named thing does not exist                   (CLI exit 3, HTTP 404)
+-- Conflict        the present state forbids it                     (CLI exit 4, HTTP 409)
+-- CrmTrouble      the CRM refused or could not be reached          (CLI exit 5, HTTP 502)
"""


class ForestageError(Exception):
    """Root of the errors that are shown to people as they are, without a traceback."""

    exit_code = 1
    status = 500


class BadInput(ForestageError):
    """What was given is wrong; `field` names the option, column or key at fault."""

    exit_code = 2
    status = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class NotFound(ForestageError):
    """The named thing does not exist."""

    exit_code = 3
    status = 404


class Conflict(ForestageError):
    """The present state forbids it."""

    exit_code = 4
    status = 409


class CrmTrouble(ForestageError):
    """The CRM refused or could not be reached; the message carries its own words."""

    exit_code = 5
    status = 502
