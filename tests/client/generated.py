"""What is generated in authsvc/static: `python -m tests.client.generated` writes it.

The codes in authsvc.d.ts come from the service's problems, each .cjs is a .js for programs that
cannot import a module, such as Jest, and each .d.cts has its types.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from authsvc.problems import FaultCode, every_problem
from tests.support.running_service import ROOT

FOLDER = ROOT / "authsvc" / "static"
MODULE = FOLDER / "authsvc.js"
BINDING = FOLDER / "authsvc-binding.js"
FACTORS = FOLDER / "authsvc-factors.js"
MODULES = (MODULE, BINDING, FACTORS)
TYPES = FOLDER / "authsvc.d.ts"


def types() -> str:
    """Return the committed types with the codes that the service has now."""
    codes = {
        "ServiceErrorCode": [
            problem.code
            for problem in every_problem()
            if problem.__module__.startswith("authsvc.")  # tests define others
        ],
        "FaultCode": [code.value for code in FaultCode],
    }
    text = TYPES.read_text()
    for name, members in codes.items():
        text, replaced = re.subn(
            rf"(?<=^export type {name} =)[^;]*(?=;$)", _union(members), text, count=1, flags=re.M
        )
        assert replaced, name
    return text


def _union(codes: Iterable[str]) -> str:
    return "".join(f'\n    | "{code}"' for code in codes)


def common_js(module: Path) -> str:
    """Return a module as CommonJS."""
    exported = re.compile(r"^export (?=(?:class|function|const) (\w+))", re.M)
    text = module.read_text()
    names = exported.findall(text)
    assert len(names) == text.count("\nexport "), "export only classes, functions and constants"
    head = f'// Generated from {module.name} by tests/client/generated.py.\n"use strict";\n\n'
    tail = f"\nmodule.exports = {{ {', '.join(names)} }};\n"
    required = re.sub(r'\bimport\((".*)\.js"\)', r'(async () => require(\1.cjs"))()', text)
    return head + exported.sub("", required) + tail


def every_file() -> dict[str, str]:
    """Return each generated file by its name."""
    return {
        "authsvc.d.ts": types(),
        "authsvc.d.cts": types(),
        "authsvc-binding.d.cts": BINDING.with_suffix(".d.ts").read_text(),
        "authsvc-factors.d.cts": FACTORS.with_suffix(".d.ts").read_text().replace(".js", ".cjs", 1),
        **{f"{module.stem}.cjs": common_js(module) for module in MODULES},
    }


if __name__ == "__main__":
    for name, text in every_file().items():
        (FOLDER / name).write_text(text)
