"""The sign-in of the scripted service: OAuth 2 with PKCE in the browser, codes for devices."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.graph_server.routes import Reply

TENANT = "firma.example"
SCOPES = "Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite Tasks.ReadWrite User.Read"
CLIENT = "11111111-2222-3333-4444-555555555555"


class Authority:
    """Gives tokens to who signs in, and new ones for a refresh token.

    `refuse` is what every request for a token is answered with instead; `asked` records the
    grants that were asked for.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.root = ""
        self.valid = {"a-token"}
        self.refresh = ""
        self.refuse: tuple[str, str] | None = None
        self.pending = 0
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._next = 0

    def accepts(self, token: str) -> bool:
        """Whether a token opens the mailbox."""
        return token in self.valid

    def revoke(self) -> None:
        """Make every token handed out so far worthless."""
        self.valid.clear()

    def answer(self, method: str, url: str, content: bytes) -> Reply:
        """Answer a request to sign in."""
        parts = urlsplit(url)
        tenant = parts.path.split("/")[1]
        if tenant != TENANT:
            return Reply(400, {"error": "invalid_tenant", "error_description": "AADSTS90002: no"})
        base = f"{self.root}/{TENANT}"
        if parts.path.endswith("/openid-configuration"):
            return Reply(
                200,
                {
                    "issuer": f"{base}/v2.0",
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                    "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                },
            )
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        form = {name: values[0] for name, values in parse_qs(content.decode()).items()}
        if parts.path.endswith("/authorize"):
            return self._authorize(query)
        if parts.path.endswith("/devicecode"):
            return self._device_code()
        return self._token(form)

    def _authorize(self, query: dict[str, str]) -> Reply:
        assert query["code_challenge_method"] == "S256"
        assert query["redirect_uri"].startswith("http://localhost")
        self._next += 1
        code = f"code-{self._next}"
        self._codes[code] = query
        answer = {"code": code, "state": query["state"]}
        if self.refuse:
            answer = {
                "error": self.refuse[0],
                "error_description": self.refuse[1],
                "state": query["state"],
            }
        # The page that is shown last posts this to the program (response_mode=form_post).
        assert query["response_mode"] == "form_post"
        return Reply(200, {"action": query["redirect_uri"], "fields": answer})

    def _device_code(self) -> Reply:
        if self.refuse:
            return self._refused()
        return Reply(
            200,
            {
                "user_code": "ABC-DEF",
                "device_code": "device-1",
                "verification_uri": "https://microsoft.com/devicelogin",
                "expires_in": 900,
                "interval": 1,
                "message": "Open the page and enter the code.",
            },
        )

    def _refused(self) -> Reply:
        assert self.refuse
        error, text = self.refuse
        return Reply(400, {"error": error, "error_description": text})

    def _token(self, form: dict[str, str]) -> Reply:
        grant = form["grant_type"].rpartition(":")[2]
        self.asked.append(grant)
        assert "client_secret" not in form
        if self.refuse:
            return self._refused()
        nonce = ""
        if grant == "device_code" and self.pending:
            self.pending -= 1
            return Reply(400, {"error": "authorization_pending", "error_description": "wait"})
        if grant == "refresh_token" and form["refresh_token"] != self.refresh:
            text = "AADSTS50173: The provided grant has expired.\r\nTrace ID: 1"
            return Reply(400, {"error": "invalid_grant", "error_description": text})
        if grant == "authorization_code":
            asked = self._codes.pop(form["code"])
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            assert challenge == asked["code_challenge"]
            nonce = asked.get("nonce", "")
        self._next += 1
        token, self.refresh = f"access-{self._next}", f"refresh-{self._next}"
        self.valid.add(token)
        return Reply(
            200,
            {
                "token_type": "Bearer",
                "access_token": token,
                "refresh_token": self.refresh,
                "expires_in": 3600,
                "scope": form.get("scope", SCOPES),
                "id_token": self._id_token(form["client_id"], nonce),
                "client_info": _encoded({"uid": "user-1", "utid": "tenant-1"}),
            },
        )

    def _id_token(self, client: str, nonce: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": f"{self.root}/{TENANT}/v2.0",
            "aud": client,
            "sub": "user-1",
            "oid": "user-1",
            "tid": "tenant-1",
            "preferred_username": self.address,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
        }
        if nonce:
            claims["nonce"] = nonce
        return f"{_encoded({'alg': 'none'})}.{_encoded(claims)}.c2ln"


def _encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
