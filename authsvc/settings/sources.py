"""Where a setting's value is found: the environment, a secret's own file, instance/authsvc.env."""

import os
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream
from pydantic import ValidationError

from authsvc.settings import PREFIX, Settings, SettingsInvalid
from authsvc.settings.values import MAKE_KEY
from authsvc.tokens.shared_secret import MAKE_SECRETS


def load_settings(instance: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment and, for what is not set there, ``instance/authsvc.env``.

    Args:
        instance: the folder that holds ``authsvc.env`` and, by default, the SQLite database.
        environ: the environment; a name set to nothing counts as not set.

    Raises:
        SettingsInvalid: with every fault in one message.
    """
    faults: list[str] = []
    chosen = _named(environ)
    settled = {name.removesuffix("_FILE") for name in chosen}
    written = _named(_read_env_file(instance / "authsvc.env", faults))
    found = chosen | {
        name: value for name, value in written.items() if name.removesuffix("_FILE") not in settled
    }
    if "DATABASE_URL" not in found and "DATABASE_URL_FILE" not in found:
        found["DATABASE_URL"] = f"sqlite:///{instance.resolve() / 'authsvc.db'}"
    values = _read_secret_files(found, faults)
    unknown = sorted(values.keys() - _NAMES)
    faults += [f"{PREFIX}{name} is not a setting: is it misspelt?" for name in unknown]
    try:
        settings = Settings.model_validate(
            {name.lower(): value for name, value in values.items() if name in _NAMES}
        )
    except ValidationError as error:
        faults += [
            _sentence(fault)
            for fault in error.errors(include_input=False, include_url=False)
            if fault["type"] != "missing" or f"{str(fault['loc'][0]).upper()}_FILE" not in found
        ]
    if faults:
        raise SettingsInvalid(
            "these settings cannot be run with:\n"
            + "\n".join(f"  - {line}" for fault in faults for line in fault.splitlines())
        )
    return settings


_NAMES = frozenset(name.upper() for name in Settings.model_fields)
_MAY_BE_FILES = frozenset(
    name
    for name in _NAMES
    if "SECRET" in name
    or "PRIVATE_KEY" in name
    or name in ("DATABASE_URL", "RATE_LIMIT_STORAGE", "METRICS_TOKEN")
)


def _read_env_file(file: Path, faults: list[str]) -> dict[str, str | None]:
    """What the file sets, to the letter: nothing in a value is taken for a variable."""
    if not file.exists():
        return {}
    try:
        lines = list(parse_stream(StringIO(file.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{file} cannot be read: {_reason(error)}")
        return {}
    faults += [
        f"{file}, line {line.original.line} is not NAME=value" for line in lines if line.error
    ]
    return {line.key: line.value for line in lines if line.key is not None}


def _named(values: Mapping[str, str | None]) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX): value.strip()
        for name, value in values.items()
        if name.startswith(PREFIX) and value and value.strip()
    }


def _read_secret_files(found: dict[str, str], faults: list[str]) -> dict[str, str]:
    """Replace each ``X_FILE`` by ``X`` with the file's text, as container secrets are given."""
    values = dict(found)
    for name in sorted(_MAY_BE_FILES):
        path = values.pop(f"{name}_FILE", None)
        if path is None:
            continue
        if name in found:
            faults.append(f"{PREFIX}{name} and {PREFIX}{name}_FILE are both set: keep one")
        try:
            values[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            faults.append(f"{PREFIX}{name}_FILE: {path} cannot be read: {_reason(error)}")
    return values


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or "") if isinstance(error, OSError) else "it is not text"


def _sentence(fault: Any) -> str:
    message = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:
        return message
    name = f"{PREFIX}{str(fault['loc'][0]).upper()}"
    if fault["type"] == "missing":
        return f"{name} is missing: {MAKE_KEY if name.endswith('KEY') else MAKE_SECRETS}"
    if fault["type"] == "value_error":
        return f"{name} {message}"
    return f"{name}: {message[0].lower()}{message[1:]}"
