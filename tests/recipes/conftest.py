"""The service that issues the tokens: it signs with ES256, as the pages recommend."""

from collections.abc import Iterator

import pytest

from tests.recipes.listings import APP
from tests.recipes.service import ALICE, log_in, register
from tests.recipes.tokens import ROLES, Tokens
from tests.support.key_pair_settings import signed_by
from tests.support.operator_commands import Operator
from tests.support.running_service import Service, free_port, new_database, serving


@pytest.fixture(scope="session")
def service(wsgi_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service, where Alice has `ROLES`."""
    folder = tmp_path_factory.mktemp("service")
    url, port = new_database(folder), free_port()
    settings = {"issuer": f"http://localhost:{port}", "allowed_origins": APP, **signed_by("ES256")}
    with serving(
        url, folder / "log", server=wsgi_server, workers=1, port=port, **settings
    ) as service:
        register(service)
        granted = Operator(url).run("users", "grant", ALICE["email"], *ROLES)
        assert granted.exit_code == 0, granted.output
        yield service


@pytest.fixture(scope="module")
def tokens(service: Service) -> Tokens:
    """Alice's tokens."""
    return log_in(service)
