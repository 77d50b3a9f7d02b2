"""The kinds of security events. The commands list them, so this module is quick to import."""

from typing import Literal

Kind = Literal[
    "registered",
    "logged_in",
    "login_refused",
    "refresh_refused",
    "suspicious_use",
    "device_bound",
    "reauthenticated",
    "reauthentication_refused",
    "logged_out",
    "session_revoked",
    "password_changed",
    "password_reset_requested",
    "password_reset",
    "roles_changed",
    "account_disabled",
    "account_enabled",
    "account_unlocked",
    "account_exported",
    "email_change_requested",
    "email_changed",
    "email_verified",
    "factor_added",
    "factor_removed",
    "recovery_codes_replaced",
    "recovery_code_used",
    "mail_failed",
    "account_deleted",
]
"""The events that are recorded."""
