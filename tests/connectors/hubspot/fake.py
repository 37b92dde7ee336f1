"""Canned answers over real HTTP, for what no well-behaved portal does."""

import json
from typing import Any

from tests.connectors.salesforce.fake import Answer, FakeOrg, Request, serving

__all__ = ["Answer", "FakePortal", "Request", "error", "serving"]

DEALS = "/deals$"


class FakePortal(FakeOrg):
    """Answers by script; knows its account from the start."""

    def __init__(self) -> None:
        super().__init__()
        account = {"portalId": 77, "timeZone": "Europe/Berlin", "companyCurrency": "EUR"}
        self.answer("GET", "/account-info/", account)

    def bodies(self, pattern: str) -> list[Any]:
        return [json.loads(request.body) for request in self.sent("POST", pattern)]


def error(status: int, category: str, message: str = "their words", **more: Any) -> Answer:
    return Answer({"status": "error", "category": category, "message": message, **more}, status)
