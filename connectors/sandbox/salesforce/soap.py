"""The two SOAP services that clients still use: login, and the Metadata API's deploy."""

import base64
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

from connectors.sandbox.loopback import Request, Response
from connectors.sandbox.salesforce.auth import USER_PASSWORD, Tokens
from connectors.sandbox.salesforce.deploy import Deploys
from connectors.sandbox.salesforce.practice import Practice
from connectors.sandbox.salesforce.values import Row

_PARTNER = "urn:partner.soap.sforce.com"
_METADATA = "http://soap.sforce.com/2006/04/metadata"
_FAULTS = "urn:fault.partner.soap.sforce.com"
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="{space}" '
    'xmlns:sf="{faults}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
)
LAST_LOGIN_VERSION = 64


def _reply(body: str, *, space: str = _PARTNER, status: int = 200) -> Response:
    text = _ENVELOPE.format(space=space, faults=_FAULTS, body=body)
    return Response(status=status, body=text.encode(), content_type="text/xml;charset=UTF-8")


def _refuse(code: str, message: str) -> Response:
    text = (
        f"<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {escape(message)}"
        f"</faultstring><detail><sf:UnexpectedErrorFault><sf:exceptionCode>{code}"
        f"</sf:exceptionCode><sf:exceptionMessage>{escape(message)}</sf:exceptionMessage>"
        "</sf:UnexpectedErrorFault></detail></soapenv:Fault>"
    )
    return _reply(text, status=500)


def _find(root: ET.Element, name: str) -> ET.Element | None:
    """The first element of this local name, whatever its namespace."""
    return next((each for each in root.iter() if each.tag.rpartition("}")[2] == name), None)


def _text(root: ET.Element, name: str) -> str:
    found = _find(root, name)
    return (found.text or "").strip() if found is not None else ""


class Soap:
    """SOAP calls of one organisation."""

    def __init__(self, practice: Practice, tokens: Tokens, deploys: Deploys) -> None:
        self._practice = practice
        self._tokens = tokens
        self._deploys = deploys

    def serve(self, request: Request, service: str, version: str, base_url: str) -> Response:
        """Answer one call; `service` is u or c (partner, enterprise) or m (metadata)."""
        try:
            root = ET.fromstring(request.body)  # noqa: S314 -- loopback only
        except ET.ParseError as error:
            return _refuse("SOAP_ERROR", str(error))
        if service == "m":
            return self._metadata(root)
        if _find(root, "login") is not None:
            return self._login(root, version, base_url)
        if _find(root, "logout") is not None:
            self._tokens.revoke(_text(root, "sessionId"))
            return _reply("<logoutResponse/>")
        return _refuse("INVALID_OPERATION", "only login and logout are served here")

    def _login(self, root: ET.Element, version: str, base_url: str) -> Response:
        if float(version) > LAST_LOGIN_VERSION:
            return _refuse("UNSUPPORTED_API_VERSION", "login() is not available in this version")
        user = self._practice.store.get("User", self._practice.user_id) or {}
        if _text(root, "username").lower() != user["Username"] or not _text(
            root, "password"
        ).startswith(USER_PASSWORD):
            return _refuse(
                "INVALID_LOGIN",
                "Invalid username, password, security token; or user locked out.",
            )
        organisation = self._practice.organisation_id
        server = f"{base_url}/services/Soap/u/{version}/{organisation[:15]}"
        told = {
            "metadataServerUrl": server.replace("/u/", "/m/"),
            "passwordExpired": "false",
            "sandbox": "true",
            "serverUrl": server,
            "sessionId": self._tokens.issue(organisation),
            "userId": user["Id"],
        }
        info = {
            "organizationId": organisation,
            "userEmail": user["Email"],
            "userFullName": user["Name"],
            "userId": user["Id"],
            "userName": user["Username"],
            "userTimeZone": user["TimeZoneSidKey"],
            "sessionSecondsValid": "7200",
        }
        body = _elements(told) + f"<userInfo>{_elements(info)}</userInfo>"
        return _reply(f"<loginResponse><result>{body}</result></loginResponse>")

    def _metadata(self, root: ET.Element) -> Response:
        if not self._tokens.is_good(_text(root, "sessionId")):
            return _refuse("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader")
        if _find(root, "checkDeployStatus") is not None:
            status = self._deploys.status(_text(root, "asyncProcessId"))["deployResult"]
            answer = f"<result>{_elements(status)}</result>"
            return _reply(
                f"<checkDeployStatusResponse>{answer}</checkDeployStatusResponse>", space=_METADATA
            )
        if _find(root, "deploy") is None:
            return _refuse("INVALID_OPERATION", "only deploy and checkDeployStatus are served")
        archive = base64.b64decode(_text(root, "ZipFile"))
        is_check = _text(root, "checkOnly").lower() == "true"
        deploy_id = self._deploys.deploy(archive, check_only=is_check)
        result = f"<done>false</done><id>{deploy_id}</id><state>Queued</state>"
        return _reply(
            f"<deployResponse><result>{result}</result></deployResponse>", space=_METADATA
        )


def _elements(values: Row) -> str:
    """A mapping as XML elements; lists repeat their element."""
    text = ""
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                inner = _elements(each)
            elif isinstance(each, bool):
                inner = str(each).lower()
            else:
                inner = escape(str(each))
            text += f"<{name}>{inner}</{name}>"
    return text
