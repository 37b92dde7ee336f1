"""What the repository promises of itself: sizes, docs, locks, no leaks."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("app", "connectors", "rules", "migrations", "tests", "bench")
MODULE_LINES = 350
FUNCTION_LINES = 50
POSITIONAL = 4


def tracked(*suffixes: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [ROOT / name for name in listed if name.endswith(suffixes) and (ROOT / name).is_file()]


MODULES = [path for path in tracked(".py") if path.relative_to(ROOT).parts[0] in PACKAGES]


def functions(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def test_no_module_is_longer_than_350_lines() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in MODULES
    }
    assert {name: n for name, n in lengths.items() if n > MODULE_LINES} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in MODULES
        for node in functions(path)
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert long == []


def test_no_function_of_the_product_takes_more_than_four_positional_parameters() -> None:
    wide = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in MODULES
        if path.relative_to(ROOT).parts[0] in ("app", "connectors", "rules")
        for node in functions(path)
        if len([a for a in node.args.args if a.arg not in ("self", "cls")]) > POSITIONAL
    ]
    assert wide == []


def test_the_locks_pin_by_hash_and_name_no_package_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text("utf-8")
        pins = re.findall(r"^[a-z0-9][\w.\[\]-]*==", text, re.MULTILINE)
        assert pins
        assert text.count("--hash=sha256:") >= len(pins)
        assert "://" not in text
        assert "index-url" not in text


def test_every_runtime_pin_is_the_same_in_both_locks() -> None:
    pin = re.compile(r"^([a-z0-9][\w.-]*)==(\S+)", re.MULTILINE)
    runtime = dict(pin.findall((ROOT / "requirements.lock").read_text("utf-8")))
    development = dict(pin.findall((ROOT / "requirements-dev.lock").read_text("utf-8")))
    assert {k: v for k, v in runtime.items() if development.get(k) != v} == {}


def test_no_file_names_a_package_host_or_a_path_of_one_machine() -> None:
    words = re.compile(
        "pypi" + r"\.org|files\.python" + r"hosted|registry\.npm" + r"js|/wo" + r"rk/(main|shared)"
    )
    leaks = [
        str(path.relative_to(ROOT))
        for path in tracked("")
        if words.search(path.read_text("utf-8", errors="ignore"))
    ]
    assert leaks == []


def test_no_type_is_ignored_without_its_code() -> None:
    bare = re.compile(r"#\s*type:\s*ignore(?!\[)")
    found = [
        str(path.relative_to(ROOT)) for path in MODULES if bare.search(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("target", ["setup", "demo", "test", "check", "serve", "bench", "clean"])
def test_the_makefile_documents_each_target(target: str) -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(rf"^{target}:.*## \S", text, re.MULTILINE)
