"""Three processes that send the mails of one outbox until it is empty.

    python -m tests.support.sender_processes DATABASE_URL PORT

The first line of the output is their process ids.
"""

import os
import sys

from authsvc import create_app
from authsvc.mail.sender import Sender
from authsvc.settings import Settings
from authsvc.web import registry
from tests.support.mailbox import APP_URL
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

SENDERS = 3


def main(database_url: str, port: str) -> None:
    app = create_app(
        Settings.model_validate(
            {
                "database_url": database_url,
                "access_token_secret": ACCESS_SECRET.hex(),
                "refresh_token_secret": REFRESH_SECRET.hex(),
                "mail_url": f"smtp://127.0.0.1:{port}",
                "mail_from": "Example <no-reply@example.com>",
                "app_url": APP_URL,
            }
        )
    )
    children = []
    for _ in range(SENDERS):
        child = os.fork()
        if child == 0:
            with app.app_context():
                while registry.get(Sender).send_due():
                    pass
            os._exit(0)
        children.append(child)
    print(*children, flush=True)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
