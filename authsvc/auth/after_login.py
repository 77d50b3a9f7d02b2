"""What a login ends with: the cookie, a notice of a new browser, and a little purge."""

from functools import partial
from uuid import UUID

from flask import Response, after_this_request, current_app
from flask.ctx import AppContext

from authsvc.audit import purge as audit
from authsvc.guard.refresh_cookie import RefreshCookie
from authsvc.mail.outbox import Outbox
from authsvc.ratelimit.mail_limits import MailLimits
from authsvc.sessions import purge as sessions
from authsvc.sessions.device import DeviceBinding
from authsvc.sessions.new_browser import report_new_browser
from authsvc.sessions.open import Opened
from authsvc.settings import Settings
from authsvc.web import registry
from authsvc.web.client import Client


def finish_login(opened: Opened, user_id: UUID, client: Client) -> None:
    """Set the refresh cookie, and do the rest after the response was sent.

    Args:
        opened: the session.
        user_id: the user.
        client: where the request came from.
    """

    @after_this_request
    def finish(response: Response) -> Response:
        context = current_app.app_context()
        response.call_on_close(partial(_after_response, context, user_id, opened.sid, client))
        registry.get(DeviceBinding).offer(response, opened.sid, client.key)
        cookie = registry.get(RefreshCookie)
        return cookie.set(response, opened.refresh_token, opened.max_age)


def _after_response(context: AppContext, user_id: UUID, session_id: UUID, client: Client) -> None:
    """Report a new browser, and remove a few expired rows."""
    with context:
        settings, outbox = registry.get(Settings), registry.get(Outbox)
        if outbox.is_on and settings.mail_new_logins:
            report_new_browser(outbox, registry.get(MailLimits), user_id, session_id, client)
        sessions.purge_a_little()
        audit.purge_a_little(settings.audit_ttl)
