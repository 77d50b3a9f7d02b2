"""The examples of docs/browser.md as programs: extracted, checked by tsc, and compiled for node."""

import json
import re
import subprocess
from pathlib import Path

from tests.support.running_service import ROOT

HERE = Path(__file__).parent
PAGE = ROOT / "docs" / "browser.md"
OPTIONS = {
    "strict": True,
    "allowJs": True,
    "checkJs": True,
    "jsx": "react-jsx",
    "target": "es2022",
    "module": "esnext",
    "moduleResolution": "bundler",
    "moduleDetection": "force",
    "lib": ["es2022", "dom", "dom.iterable"],
    "types": [],
    "outDir": "made",
    "rootDir": ".",
}


def compile_examples(folder: Path) -> Path:
    """Return the folder that holds the page's examples, such as `plain.js`.

    Args:
        folder: an empty folder to work in.
    """
    text = PAGE.read_text()
    names = ("link.js", "factors.js", "plain.js", "react.tsx")
    found = re.findall(r"^```(?:js|tsx)\n(.*?)^```$", text, re.M | re.S)
    examples = dict(zip(names, found, strict=True))
    for name, example in examples.items():
        (folder / name).write_text(example)
    modules = folder / "node_modules"
    modules.mkdir()
    (modules / "authsvc").symlink_to(ROOT / "authsvc" / "static")
    for package in ("react", "@types"):
        (modules / package).symlink_to(HERE / "node_modules" / package)
    (folder / "package.json").write_text('{"type": "module"}')
    config = {"compilerOptions": OPTIONS, "files": list(examples)}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    tsc = HERE / "node_modules" / ".bin" / "tsc"
    made = subprocess.run([tsc], cwd=folder, capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stdout
    return folder / "made"
