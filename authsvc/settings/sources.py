"""Load settings from the environment, a secret's own file and instance/authsvc.env."""

import os
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream
from pydantic import ValidationError
from sqlalchemy.engine import URL

from authsvc.settings import Settings, SettingsInvalid
from authsvc.settings.kubernetes import is_of_a_service
from authsvc.settings.values import MAKE_KEY, PREFIX
from authsvc.tokens.shared_secret import MAKE_SECRETS


def instance_folder() -> Path:
    """Return ``instance/`` of the working directory: the settings' file and the SQLite database.

    It is not beside the package: an upgrade of an installed package would remove it, and with it
    the secrets and the accounts.
    """
    return Path.cwd() / "instance"


def load_settings(instance: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of the environment and, for the others, of ``instance/authsvc.env``.

    Args:
        instance: the folder that holds ``authsvc.env`` and, by default, the SQLite database.
        environ: the environment; an empty value counts as not set.

    Raises:
        SettingsInvalid: with every fault in one message.
    """
    faults: list[str] = []
    found = _find(instance, environ, faults)
    values = _read_secret_files(found, faults)
    unknown = sorted(values.keys() - _NAMES)
    faults += [f"{PREFIX}{name} is not a setting: correct the name or unset it" for name in unknown]
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
            "Invalid settings:\n"
            + "\n".join(f"  - {line}" for fault in faults for line in fault.splitlines())
        )
    return settings


def _find(instance: Path, environ: Mapping[str, str], faults: list[str]) -> dict[str, str]:
    """Return each setting's text, without the prefix of its name; the environment comes first."""
    chosen = {
        name: value
        for name, value in _our_names(environ).items()
        if name in _NAMES or not is_of_a_service(name, value)
    }
    decided = {name.removesuffix("_FILE") for name in chosen}
    written = _our_names(_read_env_file(instance / "authsvc.env", faults))
    found = chosen | {
        name: value for name, value in written.items() if name.removesuffix("_FILE") not in decided
    }
    if "DATABASE_URL" not in found and "DATABASE_URL_FILE" not in found:
        file = instance.resolve() / "authsvc.db"
        found["DATABASE_URL"] = URL.create("sqlite", database=str(file)).render_as_string()
    return found


_NAMES = frozenset(name.upper() for name in Settings.model_fields)
_MAY_BE_FILES = frozenset(
    name
    for name in _NAMES
    if "SECRET" in name
    or "PRIVATE_KEY" in name
    or name in ("DATABASE_URL", "MAIL_URL", "METRICS_TOKEN", "RATE_LIMIT_STORAGE")
)


def _read_env_file(file: Path, faults: list[str]) -> dict[str, str | None]:
    """Return the values of the file, literally: variables in a value are not expanded."""
    if not file.exists():
        return {}
    try:
        lines = list(parse_stream(StringIO(file.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{file} cannot be read ({_reason(error)}): correct or remove it")
        return {}
    faults += [
        f"{file}, line {line.original.line} is not NAME=value: correct or remove it"
        for line in lines
        if line.error
    ]
    return {line.key: line.value for line in lines if line.key is not None}


def _our_names(values: Mapping[str, str | None]) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX): value.strip()
        for name, value in values.items()
        if name.startswith(PREFIX) and value and value.strip()
    }


def _read_secret_files(found: dict[str, str], faults: list[str]) -> dict[str, str]:
    """Replace each ``X_FILE`` by ``X`` with the text of that file: a container's secret."""
    values = dict(found)
    for name in sorted(_MAY_BE_FILES):
        path = values.pop(f"{name}_FILE", None)
        if path is None:
            continue
        if name in found:
            faults.append(f"{PREFIX}{name} and {PREFIX}{name}_FILE are both set: unset one of them")
        try:
            values[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            faults.append(
                f"{PREFIX}{name}_FILE is {path}, which cannot be read ({_reason(error)}): "
                "correct the path or the file"
            )
    return values


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or "") if isinstance(error, OSError) else "it is not text"


def _sentence(fault: Any) -> str:
    """Return what is wrong with a setting, and what to do."""
    message = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:
        return message
    field = str(fault["loc"][0])
    return f"{PREFIX}{field.upper()} {_predicate(field, fault, message)}"


def _predicate(field: str, fault: Any, message: str) -> str:
    match fault["type"]:
        case "missing":
            return f"is missing: {MAKE_KEY if field.endswith('key') else MAKE_SECRETS}"
        case "literal_error":
            return f"must be {fault['ctx']['expected']}"
        case "bool_parsing":
            return "must be true or false"
        case "value_error":
            return message
    limits = {type(limit).__name__: limit for limit in Settings.model_fields[field].metadata}
    return f"must be a whole number from {limits['Ge'].ge} to {limits['Le'].le}"
