"""DPoP proofs as an independent client makes them, and made with one fault."""

import time
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey

ORIGIN = "http://localhost"


class Prover:
    """A client that holds a key.

    Args:
        origin: the service's own.
    """

    def __init__(self, origin: str = ORIGIN) -> None:
        self.origin = origin
        self.key = ECKey.generate_key("P-256")
        public = self.key.as_dict(private=False)
        self.jwk = {name: public[name] for name in ("kty", "crv", "x", "y")}
        self.thumbprint = self.key.thumbprint()

    def proof(
        self,
        path: str,
        *,
        method: str = "POST",
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Return a proof for a request; further claims replace those of an honest one."""
        payload = {
            "jti": "one",
            "htm": method,
            "htu": f"{self.origin}{path}",
            "iat": int(time.time()),
            **claims,
        }
        return self.signed(
            {name: value for name, value in payload.items() if value is not ...}, header
        )

    def signed(self, payload: Any, header: dict[str, Any] | None = None) -> str:
        import json

        protected = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk, **(header or {})}
        registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
        return jws.serialize_compact(
            protected, json.dumps(payload).encode(), self.key, registry=registry
        )
