"""Which libraries are installed, and whether they are those that Mira was tested with.

None is imported.
"""

import re
import tomllib
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from mira.cli.doctor.report import Row, Section
from mira.load.plan import install

PACKAGE = "mira-speech"


NEEDED_EXTRAS = {  # engine -> extras
    "openvino": {"cpu"},
    "transformers": {"torch"},
    "torch": {"torch"},
    "lmdeploy": {"cuda", "torch"},
    "lmdeploy-pytorch": {"cuda", "torch"},
}


def version(library: str) -> str | None:
    """What is installed of a library; None if nothing is."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def requirements() -> list[str]:
    """As Requires-Dist. In a checkout, those of today: what was installed knows its own day's."""
    file = Path(__file__).parents[3] / "pyproject.toml"
    with suppress(OSError, tomllib.TOMLDecodeError, KeyError):
        project = tomllib.loads(file.read_text("utf-8"))["project"]
        if project["name"] == PACKAGE:
            extras = project["optional-dependencies"].items()
            of_extras = [f'{line}; extra == "{extra}"' for extra, lines in extras for line in lines]
            return [*project["dependencies"], *of_extras]
    with suppress(metadata.PackageNotFoundError):
        return metadata.requires(PACKAGE) or []
    return []


def library_sections(
    engine: str, requirements: Iterable[str], version_of: Callable[[str], str | None]
) -> list[Section]:
    """The libraries of the core and of each extra for users, with their versions.

    Args:
        engine: That is to speak.
        requirements: Lines of Requires-Dist.
        version_of: What is installed of a library; None if nothing is.
    """
    rows: dict[str, list[Row]] = {"": []}
    for line in requirements:
        match = re.match(r"([\w.-]+)(?:\[.*?\])?\s*\(?([^;()]*)\)?", line)
        extra = (*re.findall(r"extra == ['\"]([\w-]+)['\"]", line), "")[0]
        if match and extra != "dev" and match[1] != PACKAGE:
            needed = not extra or extra in NEEDED_EXTRAS.get(engine, ())
            found = version_of(match[1])
            rows.setdefault(extra, []).append(
                _library(match[1], match[2].strip(), found, install(extra), needed)
            )
    if not rows[""]:
        unknown = Row("libraries", "not known: Mira isn't installed", "note", install())
        return [Section("Libraries", (unknown,))]
    return [
        Section(f"Libraries of the extra {extra}" if extra else "Libraries", tuple(found))
        for extra, found in rows.items()
    ]


def _library(name: str, ranges: str, found: str | None, advice: str, needed: bool) -> Row:
    if found is None:
        return Row(name, f"missing ({ranges})", "problem" if needed else "note", advice)
    try:
        from packaging.specifiers import SpecifierSet  # onnxruntime brings it
    except ImportError:
        return Row(name, found)
    if SpecifierSet(ranges).contains(found, prereleases=True):
        return Row(name, found)
    return Row(name, f"{found}, tested with {ranges}", "note", advice)
