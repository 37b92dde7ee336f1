"""The REST calls of one Salesforce org, on simple-salesforce."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError, SalesforceExpiredSession

from connectors.errors import Fatal, Reauthorise, Retry, Skip
from connectors.salesforce.auth import Token, TokenProvider
from connectors.salesforce.faults import LOST_QUERY, fault
from connectors.salesforce.session import CrmSession

Row = dict[str, Any]

# URI and headers together must stay under 16,384 bytes; fields and token need their share.
LIST_BYTES = 10_800
BULK_PAGE = 10_000  # rows
_QUOTES_AND_COMMA = len("%27%27%2C")
_WRITE_HEADERS = {"Sforce-Call-Options": "client=forestage"}


@dataclass(frozen=True, slots=True)
class Rows:
    """One page of a query; `total` counts the rows of the whole query."""

    rows: Sequence[Row]
    total: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class Results:
    """A page of a bulk job's CSV, and the locator of the page after it (None: the last)."""

    content: bytes
    following: str | None


class _Api(Salesforce):
    """simple-salesforce with our tokens, and without its slow parser.

    The library's own renewal drops a call's headers and breaks on a 401 whose body is
    an object; given a session id it never renews, so that we can do it here.
    """

    def __init__(self, tokens: TokenProvider, session: CrmSession, api_version: str) -> None:
        self._tokens = tokens
        self._used = tokens.token()
        super().__init__(
            session_id=self._used.value,
            instance_url=f"https://{self._used.host}",
            session=session,
            version=api_version,
        )

    def _use(self, token: Token) -> None:
        self._used = token
        self.session_id = token.value
        self.sf_instance = token.host
        self.base_url = f"https://{token.host}/services/data/v{self.sf_version}/"
        self.oauth2_url = f"https://{token.host}/services/oauth2/"
        self._generate_headers()

    def _call_salesforce(  # type: ignore[override]  # the retries it counts are not ours
        self, method: str, url: str, name: str = "", **kwargs: Any
    ) -> requests.Response:
        try:
            return super()._call_salesforce(method, url, name, **kwargs)
        except SalesforceExpiredSession as refusal:
            if not isinstance(fault(refusal.status, refusal.content), Reauthorise):
                raise
            old = self._used.host
            self._use(self._tokens.renew(self._used))
        url = url.replace(f"https://{old}/", f"https://{self.sf_instance}/", 1)
        return super()._call_salesforce(method, url, name, **kwargs)

    def results(self, job_id: str, locator: str, size: int) -> Results:
        """A page of a bulk job."""
        url = f"{self.base_url}jobs/query/{job_id}/results?maxRecords={size}"
        url += f"&locator={quote(locator)}" if locator else ""
        answer = self._call_salesforce("GET", url, name="results", headers={"Accept": "text/csv"})
        following = answer.headers.get("Sforce-Locator")
        if following is None:
            raise Retry("no Sforce-Locator in the answer")  # not from Salesforce itself
        return Results(answer.content, None if following == "null" else following)

    def discard(self, path: str) -> None:
        """DELETE, which answers with nothing."""
        self._call_salesforce("DELETE", self.base_url + path, name="discard")

    def versions(self) -> Any:
        """What lies above all versions."""
        url = f"https://{self.sf_instance}/services/data/"
        return self.parse_result_to_json(self._call_salesforce("GET", url, name="versions"))

    def parse_result_to_json(self, result: requests.Response) -> Any:
        try:
            return orjson.loads(result.content)
        except orjson.JSONDecodeError:
            # A proxy's or a maintenance page with status 200.
            raise Retry(f"no JSON in the answer: {result.text[:100]!r}") from None


class Client:
    """One org's REST API. Logs in at the first call. Raises `ConnectorError` only."""

    def __init__(self, tokens: TokenProvider, session: CrmSession, api_version: str) -> None:
        self._tokens = tokens
        self._session = session
        self._version = api_version
        self._api: _Api | None = None

    @property
    def calls(self) -> int:
        """HTTP requests sent, logins and retries included."""
        return self._session.calls

    @property
    def usage(self) -> str | None:
        """The last `Sforce-Limit-Info`, as the CRM sent it."""
        return self._session.usage

    def now(self) -> datetime:
        """The CRM's clock at its last answer."""
        if self._session.seen_at is None:
            self.get("")
        if self._session.seen_at is None:
            raise Fatal("Salesforce sends no Date header; a proxy between us takes it away")
        return self._session.seen_at

    def get(self, path: str) -> Any:
        """The answer to a GET of a path below `/services/data/vXX.0/`."""
        return self._call("restful", path)

    def pages(self, soql: str, *, deleted: bool = False) -> Iterator[Rows]:
        """The pages of a query; `deleted`: rows in the recycle bin and archived ones too.

        Raises `Retry` with the code `LOST_QUERY` where the server's cursor has ended, or
        where it gives a page twice: the rows of another page would be missing then.
        """
        result = self._call("query", soql, include_deleted=deleted)
        rows: Sequence[Row] = ()
        while True:
            before, rows = rows, result["records"]
            if rows and before and rows[0] == before[0]:
                raise Retry("Salesforce sent a page twice", code=LOST_QUERY)
            yield Rows(rows, int(result["totalSize"]), bool(result["done"]))
            if result["done"]:
                return
            result = self._call("query_more", result["nextRecordsUrl"], identifier_is_url=True)

    def rows(self, soql: str, *, deleted: bool = False) -> list[Row]:
        """All rows of a query that is known to be small."""
        return [row for page in self.pages(soql, deleted=deleted) for row in page.rows]

    def count(self, sobject_and_where: str) -> int:
        """How many rows `FROM ...` selects."""
        return int(self._call("query", f"SELECT COUNT() FROM {sobject_and_where}")["totalSize"])

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer to a writing call."""
        options: dict[str, Any] = {"method": method, "headers": _WRITE_HEADERS}
        if body is not None:
            options["data"] = orjson.dumps(body)
        return self._call("restful", path, **options)

    def results(self, job_id: str, locator: str) -> Results:
        """A page of a complete bulk job; `locator` is empty for the first one."""
        found: Results = self._call("results", job_id, locator, BULK_PAGE)
        return found

    def discard(self, path: str) -> None:
        """Delete what lies at a path; what is gone already is no error."""
        with suppress(Skip):
            self._call("discard", path)

    def pause(self, seconds: float) -> None:
        """Wait for the CRM."""
        self._session.wait(seconds)

    def upload(self, path: str, parts: Mapping[str, tuple[str | None, bytes, str]]) -> Any:
        """The answer to a multipart POST; `parts`: name -> (file name, content, type)."""
        # requests writes the boundary into Content-Type only where none is set.
        headers = {**_WRITE_HEADERS, "Content-Type": None}
        return self._call("restful", path, method="POST", files=parts, headers=headers)

    def versions(self) -> Sequence[Row]:
        """The API versions that the org offers, oldest first."""
        found: list[Row] = self._call("versions")
        return found

    def user_id(self) -> str:
        """The id of the user that these calls run as."""
        return str(self._call("oauth2", "userinfo")["user_id"])

    def user_name(self) -> str:
        """The login name of that user."""
        return str(self._call("oauth2", "userinfo")["preferred_username"])

    def _call(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._api is None:
                self._api = _Api(self._tokens, self._session, self._version)
            return getattr(self._api, verb)(*args, **kwargs)
        except SalesforceError as refusal:
            raise fault(refusal.status, refusal.content) from None


def quoted(value: str) -> str:
    """A SOQL string literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def in_list(values: Sequence[str]) -> str:
    """The right side of a SOQL `IN`."""
    return f"({','.join(quoted(value) for value in values)})"


def chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """`values` in portions that fit into a query's URI (about 400 ids)."""
    portion: list[str] = []
    size = 0
    for value in values:
        cost = len(quote(value)) + _QUOTES_AND_COMMA
        if portion and size + cost > LIST_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(value)
        size += cost
    if portion:
        yield portion
