"""A telephone exchange and a telephone for tests/calls: Asterisk and baresip, out of Debian.

python3 tools/phones.py

Unpacks them into .phones the first time (280 MB, with all libraries that they need): nothing is
installed on the machine, and nobody has to be root. Takes apt and the Debian mirror that it is set
up with. Without these it says so, and the tests are skipped.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".phones"
DONE = FOLDER / "done"
# Debian's stable releases have had no Asterisk since 2023.
SUITE = "sid"
PACKAGES = ("asterisk", "baresip-core")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# An apt of its own: other lists, another cache, and nothing installed yet. What it gets is signed
# as ever; only how old the list is does not matter here.
CONFIGURATION = """
Dir "{folder}";
Dir::Etc "{folder}";
Dir::Etc::Parts "-";
Dir::Etc::PreferencesParts "-";
Dir::State "{folder}/state";
Dir::State::Status "{folder}/status";
Dir::Cache "{folder}/cache";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
APT::Install-Recommends "false";
APT::Sandbox::User "";
"""


class Unavailable(Exception):
    """This machine can't have them; says why."""


def mirror() -> str:
    """Return the address of the Debian mirror that this machine installs from."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb") and KEYRING.exists()):
        raise Unavailable("this is no Debian")
    targets = [
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI) $(COMPONENT)",
        "Created-By: Packages",
    ]
    found = subprocess.run(targets, capture_output=True, text=True).stdout.splitlines()
    uris = [line.split()[0] for line in found if line.endswith("/debian/ main")]
    if not uris:
        raise Unavailable("apt knows no Debian mirror")
    return uris[0]


def install(uri: str, folder: Path) -> None:
    """Unpack the packages, with all that they need, into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("state/lists/partial", "cache/archives/partial", "root"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(f"deb [signed-by={KEYRING}] {uri} {SUITE} main\n")
    (folder / "apt.conf").write_text(CONFIGURATION.format(folder=folder))
    for command in (["update"], ["install", "--yes", "--download-only", *PACKAGES]):
        done = subprocess.run(
            ["apt-get", "-q", *command],
            env={**os.environ, "APT_CONFIG": str(folder / "apt.conf")},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Unavailable(f"apt-get {command[0]} failed: {done.stderr.strip()[-300:]}")
    for package in sorted((folder / "cache" / "archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", package, folder / "root"], check=True)
        package.unlink()
    shutil.rmtree(folder / "state")


def main() -> None:
    """Install them, unless they are there."""
    if DONE.exists():
        return
    try:
        install(mirror(), FOLDER)
    except Unavailable as error:
        sys.exit(print(f"tests/calls are skipped: {error}"))
    DONE.touch()


if __name__ == "__main__":
    main()
