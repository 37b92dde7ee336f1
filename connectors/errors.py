"""What a failed call to a CRM means for the caller, whatever the CRM.

ConnectorError
+-- Fatal           a wrong setting or permission: stop, tell an admin
+-- Retry           passing trouble: again after `after` seconds
+-- Skip            this one row or field can't be done; go on with the others
+-- Reauthorise     the credentials are no longer good: an admin must sign in again
"""


class ConnectorError(Exception):
    """Root of all connector errors. `code` is the CRM's own error code where it gave one."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class Fatal(ConnectorError):
    """Trying again can't help: a setting, a permission or a bug."""


class Retry(ConnectorError):
    """Passing trouble. `after` is the least number of seconds to wait, None if not told."""

    def __init__(
        self, message: str, *, code: str | None = None, after: float | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.after = after


class Skip(ConnectorError):
    """One row, field or object can't be read or written; the rest can."""


class Reauthorise(ConnectorError):
    """The CRM no longer accepts the credentials."""
