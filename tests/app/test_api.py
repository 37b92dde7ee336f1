"""The API on a real database: access, shapes, runs, problems, and whether it is ready."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from app import bootstrap, settings
from app.commands.serve import address_of, listener
from app.errors import Conflict
from app.main import create_app
from app.services.importing import import_files
from app.settings import Settings
from tests.app.practice import write_export

FIELDS = {
    *("id", "rule", "rule_version", "class", "severity", "rank", "status", "held", "opened_at"),
    *("subject", "deal", "sentence", "questions", "limits_version", "evidence"),
}


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a service that does nothing by itself."""
    for name, _ in settings.variables():
        monkeypatch.delenv(name, raising=False)
    return settings.load(data_dir=tmp_path / "data", schedule={"sync_minutes": 0})


@contextmanager
def served(app: FastAPI, chosen: Settings) -> Iterator[str]:
    """The application behind a real server on loopback; gives its address."""
    listening = listener(chosen.server.model_copy(update={"port": 0}))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while thread.is_alive() and not server.started:
            time.sleep(0.01)
        yield address_of(listening)
    finally:
        server.should_exit = True
        thread.join(30)
        listening.close()


@dataclass
class Service:
    """A running service: the application, and a client with the admin key."""

    app: FastAPI
    client: httpx.Client


@pytest.fixture
def service(chosen: Settings, tmp_path: Path) -> Iterator[Service]:
    """A service that knows two imported deals."""
    now = datetime.now(UTC).replace(microsecond=0)
    with bootstrap.opened(chosen, purpose="a test") as parts:
        source = bootstrap.open_files(write_export(tmp_path, now), name="files", now=now)
        import_files(parts.db, source, name="files", clock=parts.clock)
    keys: list[SecretStr] = []
    app = create_app(chosen, announce=keys.append)
    with served(app, chosen) as address:
        bearer = {"Authorization": f"Bearer {keys[0].get_secret_value()}"}
        with httpx.Client(base_url=address, headers=bearer, timeout=30) as client:
            yield Service(app, client)


@pytest.fixture
def client(service: Service) -> httpx.Client:
    return service.client


def scored(client: httpx.Client, **asked: Any) -> Any:
    """The result of a scoring run, once it is done."""
    answer = client.post("/v1/score", json={"connection": "files", **asked})
    assert answer.status_code == 202
    for _ in range(300):
        run = client.get(answer.headers["Location"]).json()
        if run["status"] in ("done", "failed"):
            assert run["status"] == "done", run["error"]
            return run["result"]
        time.sleep(0.05)
    raise AssertionError("the run did not end")


@pytest.mark.parametrize("path", ["/v1/flags", "/v1/connections", "/v1/deals/deal_1", "/v1/runs/x"])
@pytest.mark.parametrize("header", [None, "Bearer fst_0000_wrong", "Bearer x", "Basic YTpi"])
def test_nothing_is_told_without_a_good_key(
    client: httpx.Client, path: str, header: str | None
) -> None:
    del client.headers["Authorization"]
    answer = client.get(path, headers={} if header is None else {"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["type"] == "urn:forestage:problem:unauthorised"


def test_a_run_is_queued_done_and_its_flags_are_listed(client: httpx.Client) -> None:
    result = scored(client)
    assert result["by_rule"]["close-date-slippage"]["opened"] == 1
    page = client.get("/v1/flags", params={"connection": "files"}).json()
    assert set(page) == {"items", "next"}
    assert all(set(flag) == FIELDS for flag in page["items"])
    flag = next(one for one in page["items"] if one["rule"] == "close-date-slippage")
    assert flag["subject"] == {"kind": "deal", "crm_id": "d1", "name": "Moved away"}
    assert client.get(f"/v1/flags/{flag['id']}").json() == flag


def test_the_only_connection_needs_no_name(client: httpx.Client) -> None:
    scored(client)
    assert client.get("/v1/flags").json() == client.get("/v1/flags?connection=files").json()


def test_pages_of_one_flag_each_give_every_flag_once(client: httpx.Client) -> None:
    scored(client)
    whole = client.get("/v1/flags").json()["items"]
    seen, after = [], None
    while True:
        params = {"limit": "1"} | ({"after": after} if after else {})
        page = client.get("/v1/flags", params=params).json()
        seen += page["items"]
        after = page["next"]
        if after is None:
            break
    assert [flag["id"] for flag in seen] == [flag["id"] for flag in whole]


def test_a_deal_is_shown_with_its_flags_and_its_timeline(client: httpx.Client) -> None:
    scored(client)
    deal = client.get("/v1/deals/d1").json()
    assert (deal["crm_id"], deal["name"], deal["amount"]) == ("d1", "Moved away", "50000.00")
    assert "close-date-slippage" in {flag["rule"] for flag in deal["flags"]}
    instants = [row["at"] for row in deal["timeline"]]
    assert instants == sorted(instants)
    last = [row for row in deal["timeline"] if row["field"] == "close_date"][-1]
    assert last["old"] < last["new"]
    assert client.get(f"/v1/deals/{deal['id']}").json() == deal


def test_a_past_instant_lists_flags_and_stores_none(client: httpx.Client) -> None:
    result = scored(client, as_of=datetime.now(UTC).isoformat())
    assert "close-date-slippage" in {item["rule"] for item in result["items"]}
    assert client.get("/v1/flags").json()["items"] == []


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/flags?limit=0", "limit"),
        ("/v1/flags?limit=many", "limit"),
        ("/v1/flags?status=odd", "status"),
        ("/v1/flags?rule=odd", "rule"),
        ("/v1/flags?after=LTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OjE", "after"),  # -999...:1
    ],
)
def test_a_bad_question_names_its_field(client: httpx.Client, path: str, field: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:forestage:problem:bad-input"
    assert answer.json()["field"] == field


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/flags/flg_1_NONE", "/v1/flags/x", f"/v1/flags/flg_{'z' * 20}_NONE"),
        *("/v1/deals/deal_zzzzzzzz", f"/v1/deals/deal_{'z' * 20}"),
        *("/v1/runs/run_zz", f"/v1/runs/run_{'z' * 20}", "/odd"),
    ],
)
def test_what_is_not_there_is_a_problem_with_status_404(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:forestage:problem:not-found"


def test_an_unknown_connection_is_not_found(client: httpx.Client) -> None:
    assert client.get("/v1/flags?connection=filez").status_code == 404
    assert client.post("/v1/score", json={"connection": "filez"}).status_code == 404


def test_a_day_without_an_offset_is_taken_as_utc(client: httpx.Client) -> None:
    today = datetime.now(UTC).date()
    assert scored(client, as_of=f"{today}")["as_of"] == f"{today}T00:00:00Z"


@pytest.mark.parametrize(
    ("body", "field"), [('{"as_of": "0001-01-01T00:00:00+14:00"}', "as_of"), ("{bad", "body")]
)
def test_a_bad_body_names_its_field(client: httpx.Client, body: str, field: str) -> None:
    answer = client.post("/v1/score", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_an_unknown_word_in_a_body_is_refused(client: httpx.Client) -> None:
    answer = client.post("/v1/score", json={"conection": "files"})
    assert answer.status_code == 422
    assert answer.json()["field"] == "conection"


def test_connections_are_listed_without_their_secrets(client: httpx.Client) -> None:
    items = client.get("/v1/connections").json()["items"]
    assert [(item["name"], item["crm"], item["mode"]) for item in items] == [
        ("files", "files", "observe")
    ]
    assert "secret" not in str(items)


def test_notices_are_a_list_too(client: httpx.Client) -> None:
    scored(client)
    assert client.get("/v1/notices").json() == {"items": [], "next": None}
    assert client.get("/v1/notices?after=zz").json()["field"] == "after"


def test_health_needs_no_key_and_readiness_tells_the_truth(service: Service) -> None:
    client = service.client
    del client.headers["Authorization"]
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "ready": True,
        "checks": {"database": "ok", "migration": "ok", "worker": "ok", "clock": "ok"},
    }
    service.app.state.engine.stop()
    stopped = client.get("/readyz")
    assert stopped.status_code == 503
    assert stopped.json()["checks"] == ready.json()["checks"] | {
        "worker": "stopped",
        "clock": "stopped",
    }


async def begun(app: FastAPI) -> None:
    """Enter and leave the application's lifespan."""
    async with app.router.lifespan_context(app):
        pass


def test_a_second_service_on_the_same_data_is_refused(service: Service, chosen: Settings) -> None:
    assert service.client.get("/healthz").status_code == 200
    with pytest.raises(Conflict, match="in use"):
        asyncio.run(begun(create_app(chosen)))


def test_the_admin_key_is_told_at_the_first_start_only(chosen: Settings) -> None:
    keys: list[SecretStr] = []
    for _ in range(2):
        asyncio.run(begun(create_app(chosen, announce=keys.append)))
    assert len(keys) == 1


def test_every_operation_and_field_is_described(client: httpx.Client) -> None:
    spec = client.get("/openapi.json").json()
    silent = [
        f"{method} {path}"
        for path, methods in spec["paths"].items()
        for method, told in methods.items()
        if not told.get("description")
    ]
    assert silent == []
