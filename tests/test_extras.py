"""What a plain install can do, and what it says about the rest; recipes are found by name."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image

import deixis
from deixis.extras import EXTRAS, missing_package
from deixis.training.recipes.packaged import packaged_recipes

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = SETTINGS["project"]
PACKAGE = Path(deixis.__file__).parent

# Only what a plain install brings can be imported, and what those packages need themselves.
PLAIN = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {tuple(EXTRAS)!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PLAIN + code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def distributions(requirements: list[str]) -> set[str]:
    """The names of required packages, as they are imported."""
    names = {re.split(r"[\[>=]", requirement)[0].strip() for requirement in requirements}
    return {{"pyyaml": "yaml", "pillow": "PIL"}.get(name, name.replace("-", "_")) for name in names}


def test_a_plain_install_answers() -> None:
    done = run(
        """
import numpy as np, deixis
picture = np.full((60, 80, 3), 90, np.uint8)
model = deixis.load(device="cpu")
answer = model.ask(picture, "What is {it}?", it=deixis.Box(5, 5, 50, 40))
stream = model.stream(picture, "Where is the dog?")
assert "".join(delta.text for delta in stream) == stream.answer.text
answer.draw()
assert deixis.Answer.from_json(answer.to_json()).text == answer.text
"""
    )
    assert done.returncode == 0, done.stderr


def test_each_extra_is_listed_and_none_comes_with_a_plain_install() -> None:
    plain = distributions(PROJECT["dependencies"])
    for package, extra in EXTRAS.items():
        assert package not in plain
        assert package in distributions(PROJECT["optional-dependencies"][extra]), (package, extra)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "ferret/small", "--data", ".", "--out", "out"), "package yaml .* 'deixis[training]'"),
        (("ask", "photo.png", "A cat?", "--model", "FERRET"), "package transformers .* 'deixis[published]'"),
    ],
)
def test_what_needs_an_extra_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "deixis_ferret"}')
    Image.new("RGB", (40, 30)).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    given = [str(tmp_path) if word == "FERRET" else word for word in arguments]
    done = run("from deixis.cli import main; sys.exit(main(sys.argv[1:]))", *given)
    before, _, after = said.partition(" .* ")
    assert done.returncode == 2, done.stderr
    assert before in done.stderr and f"pip install {after}" in done.stderr and "Traceback" not in done.stderr


def test_the_network_as_a_model_of_transformers_names_its_extra() -> None:
    done = run(
        """
import deixis
from deixis.errors import UsageError
try:
    deixis.load(device="cpu").pretrained
except UsageError as fault:
    print(fault)
"""
    )
    assert "'deixis[published]'" in done.stdout, done.stderr


def test_training_names_its_own_extra_for_what_others_bring_too() -> None:
    fault = ModuleNotFoundError("No module named 'transformers'", name="transformers")
    assert "'deixis[published]'" in str(missing_package(fault))
    assert "'deixis[training]'" in str(missing_package(fault, extra="training"))
    assert missing_package(ModuleNotFoundError("No module named 'spam'", name="spam")) is None


def test_the_metadata_state_the_licence_of_the_weights() -> None:
    code, weights = PROJECT["license"].split(" AND ")
    assert code == "Apache-2.0" and weights == "LicenseRef-non-commercial-research"
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in PROJECT["license-files"]]
    assert "Apache License" in texts[0]
    assert "license_name: non-commercial-research" in texts[1]


def test_recipes_are_in_the_wheel_and_messages_name_them_as_they_are_found() -> None:
    assert all(path.is_relative_to(PACKAGE) for path in packaged_recipes().values())
    assert "**/*.yaml" in SETTINGS["tool"]["setuptools"]["package-data"]["deixis"]
    wrong = [
        f"{path.relative_to(PACKAGE)}: {match}"
        for path in PACKAGE.rglob("*.py")
        for match in re.findall(r"recipes/[a-z_0-9]+/[a-z_0-9*-]+\.yaml", path.read_text(encoding="utf-8"))
    ]
    assert wrong == []
