"""A thief who has copied the cookies of a browser, and nothing else."""

import json

from tests.browser.conftest import Demo
from tests.support.running_service import Service


def steal(demo: Demo, service: Service, **headers: str) -> tuple[int, str]:
    """Use the cookies of the browser in another client; return the status and the code."""
    jar = demo.page.context.cookies()
    copied = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in jar)
    sent = {"Host": f"localhost:{service.port}", "Cookie": copied, **headers}
    with service.connected() as connection:
        connection.request("POST", "/auth/refresh", headers=sent)
        response = connection.getresponse()
        return response.status, json.loads(response.read()).get("code")
