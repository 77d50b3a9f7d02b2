"""Every error that a client can get, as a tree of exceptions.

The docstring of each is its explanation on the page `/docs`, to which its `type` leads: what
happened, and what the client should do next.

Problem
├── InvalidRequest              400 invalid_request
├── AccessTokenRefused          401, with a Bearer challenge (RFC 6750 section 3)
│   ├── AccessTokenMissing          access_token_missing
│   ├── AccessTokenInvalid          access_token_invalid
│   ├── AccessTokenExpired          access_token_expired
│   └── AccessTokenRevoked          access_token_revoked
├── InvalidCredentials          401 invalid_credentials
├── SecondFactorRequired        401 second_factor_required
├── TokenInvalid                401 token_invalid
├── PasswordRequired            401 password_required
├── ReauthenticationRequired    401 reauthentication_required
├── RefreshTokenRefused         401
│   ├── RefreshTokenMissing         refresh_token_missing
│   ├── RefreshTokenInvalid         refresh_token_invalid
│   ├── RefreshTokenExpired         refresh_token_expired
│   └── RefreshTokenRevoked         refresh_token_revoked
├── ProofRefused                401, of which the third has a challenge (RFC 9449 section 8)
│   ├── DpopProofMissing            dpop_proof_missing
│   ├── DpopProofInvalid            dpop_proof_invalid
│   ├── UseDpopNonce                use_dpop_nonce
│   └── DeviceProofMissing          device_proof_missing
├── CrossOriginRefused          403 cross_origin_refused
├── WrongPassword               403 wrong_password
├── WrongCode                   403 wrong_code
├── CredentialRefused           403 credential_refused
├── DeviceProofInvalid          403 device_proof_invalid
├── EmailUnverified             403 email_unverified
├── RegistrationClosed          403 registration_closed
├── Forbidden                   403 forbidden
│   └── RoleMissing                 with a Bearer challenge (RFC 6750 section 3.1)
├── NotFound                    404 not_found
├── MethodNotAllowed            405 method_not_allowed
├── EmailTaken                  409 email_taken
├── FactorExists                409 factor_exists
├── AccountInUse                409 account_in_use
├── RequestTooLarge             413 request_too_large
├── UnsupportedMediaType        415 unsupported_media_type
├── ValidationFailed            422 validation_failed
├── RateLimited                 429 rate_limited
├── InternalError               500 internal_error
└── ServiceUnavailable          503 service_unavailable
"""

from authsvc.problems.authentication import (
    AccessTokenExpired,
    AccessTokenInvalid,
    AccessTokenMissing,
    AccessTokenRefused,
    AccessTokenRevoked,
    FactorMethod,
    InvalidCredentials,
    PasswordRequired,
    ReauthenticationRequired,
    SecondFactorRequired,
    TokenInvalid,
)
from authsvc.problems.fault import Fault, FaultCode
from authsvc.problems.permission import (
    CredentialRefused,
    CrossOriginRefused,
    DeviceProofInvalid,
    EmailUnverified,
    Forbidden,
    RegistrationClosed,
    RoleMissing,
    WrongCode,
    WrongPassword,
)
from authsvc.problems.problem import Problem, challenge, every_problem
from authsvc.problems.request import (
    AccountInUse,
    EmailTaken,
    FactorExists,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    RequestTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
)
from authsvc.problems.service import RETRY_SECONDS, InternalError, RateLimited, ServiceUnavailable
from authsvc.problems.session import (
    SESSION_REFUSED,
    DeviceProofMissing,
    DpopProofInvalid,
    DpopProofMissing,
    ProofRefused,
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenMissing,
    RefreshTokenRefused,
    RefreshTokenRevoked,
    UseDpopNonce,
)

__all__ = [
    "RETRY_SECONDS",
    "SESSION_REFUSED",
    "AccessTokenExpired",
    "AccessTokenInvalid",
    "AccessTokenMissing",
    "AccessTokenRefused",
    "AccessTokenRevoked",
    "AccountInUse",
    "CredentialRefused",
    "CrossOriginRefused",
    "DeviceProofInvalid",
    "DeviceProofMissing",
    "DpopProofInvalid",
    "DpopProofMissing",
    "EmailTaken",
    "EmailUnverified",
    "FactorExists",
    "FactorMethod",
    "Fault",
    "FaultCode",
    "Forbidden",
    "InternalError",
    "InvalidCredentials",
    "InvalidRequest",
    "MethodNotAllowed",
    "NotFound",
    "PasswordRequired",
    "Problem",
    "ProofRefused",
    "RateLimited",
    "ReauthenticationRequired",
    "RefreshTokenExpired",
    "RefreshTokenInvalid",
    "RefreshTokenMissing",
    "RefreshTokenRefused",
    "RefreshTokenRevoked",
    "RegistrationClosed",
    "RequestTooLarge",
    "RoleMissing",
    "SecondFactorRequired",
    "ServiceUnavailable",
    "TokenInvalid",
    "UnsupportedMediaType",
    "UseDpopNonce",
    "ValidationFailed",
    "WrongCode",
    "WrongPassword",
    "challenge",
    "every_problem",
]
