"""Which operator runs this command."""

import os
import pwd

from authsvc.audit.record import Actor
from authsvc.web.client import Client


def current_operator() -> Actor:
    """Return the operator who runs this process, as the system knows them.

    With sudo it is the person who called sudo, not root. An operator can write to the database
    and could give any name: the name is for the record, and proves nothing.
    """
    return Actor("operator", Client(), os.environ.get("SUDO_USER") or _login_name())


def _login_name() -> str:
    user_id = os.getuid()
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:  # containers often run under an id that has no name
        return f"uid {user_id}"
