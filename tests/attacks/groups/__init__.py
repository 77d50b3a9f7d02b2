"""The corpus, a file for each way of attacking."""

from tests.attacks.attack import Attack, Transport
from tests.attacks.groups import (
    algorithm,
    amr,
    claims,
    confusion,
    duplicates,
    json_text,
    key_and_header,
    roles,
    structure,
    time,
    transport,
)

GROUPS: dict[str, list[Attack] | list[Transport]] = {
    "algorithm": algorithm.ATTACKS,
    "key and header": key_and_header.ATTACKS,
    "duplicates": duplicates.ATTACKS,
    "structure and encoding": structure.ATTACKS,
    "json": json_text.ATTACKS,
    "time": time.ATTACKS,
    "claims": claims.ATTACKS,
    "roles": roles.ATTACKS,
    "amr": amr.ATTACKS,
    "confusion": confusion.ATTACKS,
    "transport": transport.ATTACKS,
}
CORPUS: list[Attack | Transport] = [attack for group in GROUPS.values() for attack in group]
