"""Each mutated proof is refused, and the honest one works after it."""

from collections.abc import Iterator

import pytest

from tests.attacks.attack import COOKIE
from tests.attacks.proof import FAULTS, faulty, refresh_by
from tests.attacks.test_corpus import send, visible_parts
from tests.conftest import MakeApp, empty_tables
from tests.support.dpop import Prover
from tests.support.people import Person
from tests.support.responses import assert_problem

pytestmark = pytest.mark.once
PROVER = Prover()


@pytest.fixture(scope="module")
def alice(make_app: MakeApp) -> Iterator[Person]:
    """Alice, with one bound session for all rows, without a limit on failed proofs."""
    app = make_app(rate_limit_factor=1000)
    alice = Person(app, "alice@example.com", "a horse that is correct").register()
    assert alice.log_in(DPoP=PROVER.proof("/auth/login")).status_code == 200
    yield alice
    empty_tables(app)


def test_the_faults_are_many_and_their_names_differ() -> None:
    assert len(FAULTS) >= 300
    assert len(set(FAULTS)) == len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_proof_is_refused(alice: Person, fault: str) -> None:
    cookie = ("Cookie", f"{COOKIE}={alice.refresh_token}")
    answer = send(alice.app, refresh_by(cookie, faulty(fault, PROVER)))
    assert_problem(answer, 401, "dpop_proof_invalid")
    assert visible_parts(answer) == visible_parts(alice.refresh(DPoP="x"))
    assert "Set-Cookie" not in answer.headers
    honest = send(alice.app, refresh_by(cookie, [PROVER.proof("/auth/refresh")]))
    assert honest.status_code == 200
