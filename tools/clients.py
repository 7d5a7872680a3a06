"""The environment of other people's clients, which tests/clients runs against Mira.

python3 tools/clients.py

Makes .venv-clients, unless it is there: 0.8 GB, because Pipecat and LiveKit bring much along.
"""

import subprocess
import sys
from pathlib import Path

ENVIRONMENT = Path(__file__).parent.parent / ".venv-clients"
CLIENTS = (
    "cartesia[websockets]==4.2.0",
    "deepgram-sdk==7.17.0",
    "elevenlabs==2.78.0",
    "livekit-agents==1.8.9",
    "livekit-plugins-cartesia==1.8.9",
    "livekit-plugins-deepgram==1.8.9",
    "livekit-plugins-elevenlabs==1.8.9",
    "livekit-plugins-openai==1.8.9",
    "openai==3.57.0",
    "pipecat-ai[cartesia,deepgram,elevenlabs,openai]==1.14.0",
)
LIST = ENVIRONMENT / "clients.txt"  # written last


def installed() -> bool:
    """Say whether all of them are there, in these versions."""
    return LIST.exists() and LIST.read_text("utf-8").split() == [*CLIENTS]


def install() -> None:
    """Make the environment, unless it is there."""
    if installed():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
    pip = [ENVIRONMENT / "bin" / "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", *CLIENTS], check=True)
    LIST.write_text("\n".join(CLIENTS) + "\n", "utf-8")


if __name__ == "__main__":
    install()
