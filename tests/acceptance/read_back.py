"""What an outsider sees in the CRM: a plain simple-salesforce script, nothing of ours.

    python read_back.py BASE_URL CONSUMER_KEY CONSUMER_SECRET

Prints {"flags": [...], "tasks": [...]} as JSON.
"""

import json
import sys
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce


class Loopback(HTTPAdapter):
    """simple-salesforce knows https only; the practice CRM speaks http on loopback."""

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        request.url = (request.url or "").replace("https://127.0.0.1", "http://127.0.0.1", 1)
        return super().send(request, *args, **kwargs)


FLAG_FIELDS = (
    "Id, Key__c, Rule__c, Severity__c, Status__c, Rank__c, Reason__c, Evidence__c, Questions__c, "
    "Opened_At__c, OwnerId, Opportunity__r.Name, Opportunity__r.OwnerId, CreatedDate, "
    "SystemModstamp"
)
TASK_FIELDS = (
    "Id, Forestage_Key__c, OwnerId, Subject, Description, ActivityDate, Status, IsClosed, WhatId, "
    "CreatedDate, SystemModstamp"
)


def main(base_url: str, key: str, secret: str) -> None:
    """Sign in, read, print."""
    token = requests.post(
        f"{base_url}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(key, secret),
        timeout=30,
    ).json()["access_token"]
    session = requests.Session()
    session.mount("https://127.0.0.1", Loopback())
    host = base_url.replace("http://", "https://", 1)
    crm = Salesforce(session_id=token, instance_url=host, session=session, version="66.0")
    flags = crm.query_all(f"SELECT {FLAG_FIELDS} FROM Forestage_Flag__c")["records"]
    tasks = crm.query_all(f"SELECT {TASK_FIELDS} FROM Task WHERE Forestage_Key__c != null")
    sys.stdout.write(json.dumps({"flags": flags, "tasks": tasks["records"]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
