"""People who use the service as a browser does: token in memory, cookie in the jar."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from authsvc.guard.refresh_cookie import RefreshCookie
from authsvc.web import registry


class Person:
    """A person with an account, on one device."""

    def __init__(self, app: Flask, email: str, password: str) -> None:
        self.app = app
        self.email = email
        self.password = password
        self.access_token = ""
        self.refresh_token = ""

    def on_another_device(self) -> Person:
        return Person(self.app, self.email, self.password)

    def on_same_device(self) -> Person:
        """Return another tab: it starts with the same cookie and access token."""
        tab = self.on_another_device()
        tab.access_token, tab.refresh_token = self.access_token, self.refresh_token
        return tab

    def register(self) -> Person:
        answer = self.call("POST", "/auth/register", json=self.credentials)
        assert answer.status_code == 201, answer.json
        return self

    def logged_in(self) -> Person:
        answer = self.log_in()
        assert answer.status_code == 200, answer.json
        return self

    @property
    def credentials(self) -> dict[str, str]:
        return {"email": self.email, "password": self.password}

    def log_in(self, **headers: str) -> TestResponse:
        return self.call("POST", "/auth/login", json=self.credentials, headers=headers)

    def refresh(self, **headers: str) -> TestResponse:
        return self.call("POST", "/auth/refresh", headers=headers)

    def log_out(self, **headers: str) -> TestResponse:
        return self.call("POST", "/auth/logout", headers=headers)

    def call(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> TestResponse:
        """Send a request with the cookie, if there is one, and under /api with the access token."""
        sent = dict(headers or {})
        if self.refresh_token:
            sent.setdefault("Cookie", f"{self.cookie_name}={self.refresh_token}")
        if path.startswith("/api") and self.access_token:
            sent.setdefault("Authorization", f"Bearer {self.access_token}")
        client = self.app.test_client(use_cookies=False)
        answer = client.open(path, method=method, headers=sent, **kwargs)
        self._remember(answer)
        return answer

    @property
    def cookie_name(self) -> str:
        with self.app.app_context():
            return registry.get(RefreshCookie).name

    def _remember(self, answer: TestResponse) -> None:
        for cookie in answer.headers.getlist("Set-Cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            if name == "__Host-device":  # see tests/support/device.py
                continue
            assert name == self.cookie_name
            self.refresh_token = value
        if answer.status_code == 200 and answer.is_json and "access_token" in answer.json:
            self.access_token = answer.json["access_token"]
