"""authsvc.js as a package: its types, its size, and the files of `npm pack`."""

import gzip
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import authsvc
from tests.client.generated import BINDING, FACTORS, FOLDER, MODULE, every_file

HERE = Path(__file__).parent
TSC = HERE / "node_modules" / ".bin" / "tsc"
MAX_BYTES = {MODULE: 6_144, BINDING: 2_048, FACTORS: 3_200}
GENERATED = [
    "authsvc.d.ts",
    "authsvc.d.cts",
    "authsvc.cjs",
    "authsvc-binding.d.cts",
    "authsvc-binding.cjs",
    "authsvc-factors.d.cts",
    "authsvc-factors.cjs",
]
STORES = ["localStorage", "sessionStorage", "indexedDB", "caches", "document.cookie", "cookieStore"]
STRICT = {"strict": True, "noEmit": True, "target": "es2022", "types": []}
# Annotations of every inner parameter would cost each page a tenth of the module's size.
JAVASCRIPT = {"allowJs": True, "checkJs": True, "noImplicitAny": False}
BROWSER = {"module": "es2022", "moduleResolution": "bundler", "lib": ["es2022", "dom"]}
CLIENT = """
import { AuthError, createAuth, takeToken } from "authsvc";
import type { AuthErrorCode, Fault, User } from "authsvc";
import * as binding from "authsvc/binding";
import { withFactors } from "authsvc/factors";
import type { FactorsAuth } from "authsvc/factors";

const auth = createAuth({ baseUrl: "/", origins: [], timeout: 1_000, bind: true });
const inWorker = createAuth({ baseUrl: "/", bind: binding });
export const isBound: boolean | null = auth.bound ?? inWorker.bound;
export const names = (user: User): string[] => [user.email, ...user.roles];
export const remove: () => void = auth.onChange((user) => user && names(user));
export async function run(signal: AbortSignal): Promise<string | null> {
  const response: Response = await auth.fetch(new URL("https://api.example.com/"), { signal });
  if (!response.ok || auth.status === "unknown") await auth.restore({ signal });
  const user: User | null = await auth.ready;
  if (!user) return null;
  return auth.token({ signal });
}
export async function join(password: string): Promise<string> {
  const token: string | null = takeToken();
  if (token) await auth.verifyEmail(token);
  const account = await auth.register("alice@example.com", password, { locale: "de" });
  return auth.user?.emailVerified || !account ? "" : account.id;
}
export function text(error: unknown): string {
  if (!(error instanceof AuthError)) throw error;
  const code: AuthErrorCode = error.code;
  const weak = (fault: Fault) => fault.code === "breached";
  if (code === "invalid_credentials" || error.errors.some(weak)) return "No.";
  return error.methods?.includes("recovery_code") ? "Another factor." : code;
}

const page: FactorsAuth = withFactors(auth, {
  async onReauthenticate({ methods }) {
    if (methods.includes("password")) await page.reauthenticate({ password: "" });
    return methods[0] !== "passkey";
  },
});
export async function logIn(code: string, signal: AbortSignal): Promise<User | null> {
  await page.login("alice@example.com", "", { code, signal });
  await page.login("alice@example.com", "", { recoveryCode: code });
  await page.loginWithPasskey({ signal });
  return page.loginWithPasskey({ autofill: true, signal });
}
export async function setUp(): Promise<string[]> {
  const { secret, qr_svg } = await page.factors.beginTotp();
  const added = await page.factors.addPasskey(secret);
  await page.factors.removePasskey(added.id);
  const { passkeys } = await page.factors.list();
  return passkeys.some((passkey) => passkey.synced) ? [qr_svg] : page.factors.confirmTotp("123456");
}
"""
MISSPELT = {
    'code === "invalid_credentials"': 'code === "invalid_credential"',
    'fault.code === "breached"': 'fault.code === "breach"',
    'auth.status === "unknown"': 'auth.status === "loading"',
    "timeout: 1_000": "timeOut: 1_000",
    "bind: true": 'bind: "true"',
    "bind: binding": "bind: binding.withProofs",
    "boolean | null = auth": "boolean = auth",
    "|| !account": "",
    'locale: "de"': 'language: "de"',
    "user?.emailVerified": "user?.email_verified",
    "auth.token({ signal })": "auth.token(signal)",
    'includes("recovery_code")': 'includes("recoveryCode")',
    'methods.includes("password")': 'methods.includes("recovery_code")',
    'reauthenticate({ password: "" })': 'reauthenticate({ password: "", code: 1 })',
    "{ recoveryCode: code }": "{ recovery_code: code }",
    "<User | null> {\n  await page": "<User> {\n  await page",
    "autofill: true, signal": "conditional: true, signal",
    "passkey.synced": "passkey.backedUp",
    ': page.factors.confirmTotp("123456")': ": page.factors.confirmTotp(123456)",
}


@pytest.mark.parametrize("name", GENERATED)
def test_the_generated_files_are_what_the_generator_makes(name: str) -> None:
    message = "Run .venv/bin/python -m tests.client.generated"
    assert (FOLDER / name).read_text() == every_file()[name], message


def test_the_modules_are_what_their_types_say(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "authsvc.d.ts", tmp_path)
    shutil.copy(FOLDER / "authsvc-factors.d.ts", tmp_path)
    shutil.copy(MODULE, tmp_path / "module.js")  # beside the types it would not be looked at
    shutil.copy(FACTORS, tmp_path / "factors.js")
    shutil.copy(BINDING, tmp_path)
    (tmp_path / "check.ts").write_text(
        'import * as made from "./module.js";\n'
        'import * as factors from "./factors.js";\n'
        'import type * as described from "./authsvc.d.ts";\n'
        'import type * as describedFactors from "./authsvc-factors.d.ts";\n'
        "export const module: Omit<typeof described, never> = made;\n"
        "export const withFactors: Omit<typeof describedFactors, never> = factors;\n"
    )
    assert compile_strictly(tmp_path, "check.ts", **JAVASCRIPT, **BROWSER) == ""


def test_tsc_finds_a_type_error_in_the_module(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "authsvc.d.ts", tmp_path)
    shutil.copy(BINDING, tmp_path)
    faulty = MODULE.read_text().replace('let status = "unknown";', 'let status = "no";')
    (tmp_path / "module.js").write_text(faulty)
    assert compile_strictly(tmp_path, "module.js", **JAVASCRIPT, **BROWSER) != ""


@pytest.mark.parametrize(
    ("files", "options"),
    [
        (["client.ts"], BROWSER),
        (["client.mts", "client.cts"], {"module": "nodenext", "lib": ["es2022", "dom"]}),
        (["client.mts", "client.cts"], {"module": "node16", "lib": ["es2022", "dom"]}),
        (["client.mts", "client.cts"], {"module": "node16", "lib": ["es2022"]}),
    ],
    ids=["bundler", "nodenext", "node16", "without the DOM library"],
)
def test_programs_compile_with_its_types(
    package: Path, files: list[str], options: dict[str, Any]
) -> None:
    for file in files:
        (package / file).write_text(CLIENT)
    assert compile_strictly(package, *files, **options) == ""


def test_a_misspelt_word_is_a_type_error(package: Path) -> None:
    for number, (right, wrong) in enumerate(MISSPELT.items()):
        assert right in CLIENT
        (package / f"{number}.ts").write_text(CLIENT.replace(right, wrong))
    files = [f"{number}.ts" for number in range(len(MISSPELT))]
    printed = compile_strictly(package, *files, **BROWSER)
    assert [file for file in files if f"{file}(" in printed] == files


@pytest.mark.parametrize("module", MAX_BYTES, ids=lambda module: module.name)
def test_each_module_takes_at_most_its_bytes_on_the_wire(module: Path) -> None:
    assert len(gzip.compress(module.read_bytes(), 9, mtime=0)) <= MAX_BYTES[module]


def test_the_package_holds_the_module_and_its_types_and_has_the_services_version() -> None:
    packed = run("npm", "pack", "--dry-run", "--json", "--offline", cwd=FOLDER)
    assert packed.returncode == 0, packed.stderr
    (described,) = json.loads(packed.stdout)
    files = {file["path"] for file in described["files"]}
    written = {MODULE.name, BINDING.name, FACTORS.name, "package.json"}
    types = {"authsvc-binding.d.ts", "authsvc-factors.d.ts"}
    assert files == written | types | set(GENERATED)
    assert (described["name"], described["version"]) == ("authsvc", authsvc.__version__)


@pytest.mark.parametrize(
    ("file", "load"),
    [
        (
            "page.mjs",
            'import { AuthError, createAuth } from "authsvc";\n'
            'import { withFactors } from "authsvc/factors";',
        ),
        (
            "page.cjs",
            'const { AuthError, createAuth } = require("authsvc");\n'
            'const { withFactors } = require("authsvc/factors");',
        ),
    ],
)
def test_a_server_loads_the_package_by_its_name_and_finds_no_session(
    package: Path, file: str, load: str
) -> None:
    """Jest loads CommonJS as `require` does here."""
    page = package / file
    page.write_text(
        f"{load}\n"
        "globalThis.fetch = () => { throw new Error('a request'); };\n"
        'const auth = withFactors(createAuth({ baseUrl: "/" }));\n'
        "const asked = [auth.restore(), auth.refresh(), auth.token(), auth.ready];\n"
        "Promise.all(asked).then((answers) =>\n"
        "  console.log(typeof AuthError, auth.status, auth.user, ...answers));\n"
    )
    ran = run("node", "--preserve-symlinks", page)
    assert ran.stdout == "function unknown null null null null null\n", ran.stderr


def test_the_modules_use_no_storage_that_outlives_the_page() -> None:
    text = MODULE.read_text() + FACTORS.read_text()
    assert [store for store in STORES if store in text] == []


def test_the_key_of_a_bound_session_is_in_indexed_db_and_in_no_other_storage() -> None:
    text = BINDING.read_text()
    assert [store for store in STORES if store in text] == ["indexedDB"]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a folder in which the package is installed."""
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "authsvc").symlink_to(FOLDER)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


def compile_strictly(folder: Path, *files: str, **options: object) -> str:
    """Return what tsc prints: nothing if there is no error."""
    config = {"compilerOptions": {**STRICT, **options}, "files": files}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    return run(TSC, "--project", folder).stdout


def run(*command: str | Path, cwd: Path = HERE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
