"""The README's examples for agents' frameworks, run with those frameworks against a real service.
Tests in tests/clients run clients of this environment too.

python3 tools/clients.py

Makes .venv-clients the first time (0.8 GB: Pipecat and LiveKit bring much along) and needs .venv.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from service import Failed, blocks, running

ROOT = Path(__file__).parent.parent
ENVIRONMENT = ROOT / ".venv-clients"
FRAMEWORKS = (
    "cartesia[websockets]==4.2.0",
    "deepgram-sdk==7.17.0",
    "elevenlabs==2.78.0",
    "livekit-agents==1.8.9",
    "livekit-plugins-elevenlabs==1.8.9",
    "livekit-plugins-deepgram==1.8.9",
    "livekit-plugins-openai==1.8.9",
    "pipecat-ai[elevenlabs,openai]==1.14.0",
)
SHORTEST_S = 1.0  # of "Hello there. How are you today?"

PIPECAT = """
import asyncio
from pipecat.frames.frames import EndFrame, ErrorFrame, TTSAudioRawFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameProcessor

class Ears(FrameProcessor):
    heard_s = 0.0

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.heard_s += len(frame.audio) / 2 / frame.sample_rate
        if isinstance(frame, ErrorFrame):
            raise SystemExit(str(frame))
        await self.push_frame(frame, direction)

async def main():
    ears = Ears()
    params = PipelineParams(audio_out_sample_rate=24000)
    task = PipelineTask(Pipeline([tts, ears]), params=params)
    await task.queue_frames([TTSSpeakFrame("Hello there. How are you today?"), EndFrame()])
    await PipelineRunner(handle_sigint=False).run(task)
    return ears.heard_s

print(asyncio.run(main()))
"""
LIVEKIT = """
import asyncio

async def main():
    heard_s = 0.0
    async with tts, tts.synthesize("Hello there. How are you today?") as stream:
        async for event in stream:
            heard_s += event.frame.duration
    return heard_s

print(asyncio.run(main()))
"""
LISTEN = {"pipecat": PIPECAT, "livekit": LIVEKIT}


def install() -> None:
    """Make the environment, unless it is there."""
    done = ENVIRONMENT / "-".join(FRAMEWORKS).replace("/", "-")
    if done.exists():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
    pip = [ENVIRONMENT / "bin" / "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", *FRAMEWORKS], check=True)
    done.touch()


def main() -> None:
    """Run each framework's example, and hear what arrives."""
    install()
    with tempfile.TemporaryDirectory(prefix="mira-clients-") as name:
        folder, mira = Path(name), str(ROOT / ".venv" / "bin" / "mira")
        with running([mira, "serve"], folder, folder / "log") as service:
            for code in blocks((ROOT / "README.md").read_text("utf-8"), "py"):
                framework = next(name for name in LISTEN if f"from {name}" in code)
                code = code.replace("localhost:5100", f"127.0.0.1:{service.port}")
                done = subprocess.run(
                    [ENVIRONMENT / "bin" / "python", "-c", code + LISTEN[framework]],
                    cwd=folder,
                    capture_output=True,
                    text=True,
                    timeout=120,
                )
                heard = done.stdout.split()[-1:] if not done.returncode else []
                if not heard or float(heard[0]) < SHORTEST_S:
                    raise Failed(f"{framework}: {done.stdout}{done.stderr}")
                print(f"{framework}: {float(heard[0]):.1f} s heard")


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(str(error))
