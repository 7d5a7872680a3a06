"""A TOML file, the environment and flags in, one frozen object out.

The only reader of the environment. Later sources win: defaults, file, environment, flags. A name
that no setting has stops the start: a misspelt limit is a limit that isn't there.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from mira.errors import InvalidSettings

PREFIX = "MIRA_"
CONFIG_VARIABLE = "MIRA_CONFIG"
SECRET = ("api_keys",)
"""Names of settings whose values are shown to nobody."""


def _split(value: object) -> object:
    """Split a list at its commas: the environment and flags have only strings."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _pairs(value: object) -> object:
    """NAME=VALUE,NAME=VALUE, where there are only strings."""
    if isinstance(value, str):
        parts = [part.partition("=") for part in value.split(",") if part.strip()]
        return {name.strip(): other.strip() for name, _, other in parts}
    return value


def _secrets(value: object) -> object:
    """NAME=SECRET,NAME=SECRET, or one SECRET alone, which is called `key`."""
    if not isinstance(value, str):
        return value
    secrets: dict[str, str] = {}
    for part in filter(None, map(str.strip, value.split(","))):
        name, _, secret = part.partition("=")
        if not secret.strip("="):  # nothing, or the end of a secret in base64
            name, secret = "key", part
        if name.strip() in secrets:
            raise ValueError("write NAME=SECRET,NAME=SECRET, with a name of its own for each")
        secrets[name.strip()] = secret.strip()
    return secrets


def _number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _none(value: object) -> object:
    """Take an empty string for nothing: the environment and flags have no other way to say it."""
    return None if value == "" else value


def _absolute(path: Path) -> Path:
    """Fix a path now, so that it stays when the working directory changes."""
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:  # another one's ~home, or nobody's
        raise ValueError(f"{path} leads to no folder: {error}".rstrip(".")) from error


Rate = Annotated[Literal[8000, 16000, 22050, 24000, 44100, 48000], BeforeValidator(_number)]
Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Folder = Annotated[Path, AfterValidator(_absolute)]
File = Annotated[Annotated[Path, AfterValidator(_absolute)] | None, BeforeValidator(_none)]
Pairs = Annotated[dict[str, str], BeforeValidator(_pairs)]
Secrets = Annotated[dict[str, SecretStr], BeforeValidator(_secrets)]


def _cache_dir() -> Path:
    """Find the folder for what can be made again."""
    try:
        return _absolute(Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")) / "mira"
    except ValueError:  # whoever runs it has no home
        return _absolute(Path("mira-cache"))


class Settings(BaseModel):
    """Every setting, with its default. Durations are seconds, rates Hz."""

    # Errors don't quote what was given: it may be a secret.
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )

    host: str = Field(
        "127.0.0.1",
        description="address to listen on; 0.0.0.0 for every network, which takes api_keys, "
        "api_keys_file or open_to_everybody",
    )
    port: int = Field(5100, ge=0, le=65535, description="port to listen on; 0 picks a free one")
    model: str = Field(
        "",
        description="MiraTTS or Spark-TTS: a directory or Hugging Face id; empty: built-in voice",
    )
    cache_dir: Folder = Field(
        default_factory=_cache_dir,
        description="folder where a model that was converted for this processor is kept",
    )
    model_revision: str = Field("", description="branch, tag or commit of a Hugging Face id")
    codec_model: str = Field(
        "",
        description="model to take the codec from, if `model` has none; named as `model` is",
    )
    semantic_model: str = Field(
        "",
        description="wav2vec2-large-xlsr-53, for going on from a recording and its transcript: a "
        "directory, of its own or inside the model's, or Hugging Face id; empty: off",
    )
    model_device: str = Field(
        "auto",
        description="where the model runs: cpu, cuda or cuda:1; auto: a GPU if PyTorch sees one",
    )
    lm_engine: Literal["auto", "lmdeploy", "lmdeploy-pytorch", "torch"] = Field(
        "auto",
        description="what runs a language model: torch, or on a GPU LMDeploy's TurboMind or its "
        "engine in PyTorch; auto: torch on a GPU and for semantic_model, otherwise OpenVINO, for "
        "which the model is converted once",
    )
    model_dtype: Literal["auto", "bfloat16", "float32", "float16"] = Field(
        "auto", description="of the language model: auto, bfloat16 or float32; float16 is refused"
    )
    codec_dtype: Literal["auto", "float32"] = Field(
        "auto",
        description="of the codec: auto takes the least precise that this machine has and that "
        "leaves the error 30 dB below the signal with these weights",
    )
    cpu_threads: int = Field(
        0, ge=0, le=256, description="threads of a converted model's step; 0: all processors"
    )
    upsample: bool = Field(
        True, description="raise the model's 16 kHz to 48 kHz, if it has an upsampler"
    )
    look_ahead_frames: int = Field(
        12, ge=0, le=67, description="20 ms frames that must exist before one is final; 67 is exact"
    )
    guard_words: bool = Field(
        False,
        description="begin a model's sentence anew if its words are not heard in it; false: only "
        "count such sentences",
    )
    default_voice: str = Field("heart", description="speaks when a request's voice is not found")
    strict_voices: bool = Field(
        False, description="answer 404 for an unknown voice instead of using the default one"
    )
    voice_aliases: Pairs = Field(
        {}, description="other names of voices: alloy=anna,echo=ben, or a table in TOML"
    )
    voices_dir: Folder = Field(
        Path("voices"),
        validate_default=True,
        description="folder of recordings with transcripts; each is a voice",
    )
    change_voices: bool = Field(
        True, description="voices can be added and removed over HTTP; false: only in their folder"
    )
    require_consent: bool = Field(
        True, description="an upload has to state the consent of whose voice it is"
    )
    max_voices: int = Field(4096, ge=1, le=100_000, description="uploads over it are refused")
    max_recording_bytes: int = Field(
        10 << 20, ge=1024, le=1 << 28, description="largest recording of a voice"
    )
    max_recording_s: float = Field(60.0, ge=1, le=600, description="longest recording of a voice")
    dictionary: File = Field(
        None,
        description="TOML file of words and how they are said; read again when it changes; empty: "
        "none",
    )
    stream_sample_rate: Rate = Field(
        16000, description="default rate of /v1/audio/speech-stream, Hz"
    )
    lead_s: float = Field(
        2.0, gt=0, le=600, description="audio computed ahead of what a listener has taken"
    )
    pause_at_end: bool = Field(
        False,
        description="end each text with its last sentence's pause, for clients that send sentences "
        "one by one and play them without a pause",
    )
    phrases_mb: int = Field(
        32,
        ge=0,
        le=65536,
        description="memory for sentences that were said twice, in MiB: they are not computed "
        "again; 0: none",
    )
    max_text_chars: int = Field(4096, ge=1, description="longest `input` of a request")
    max_body_bytes: int = Field(
        128 << 10,  # JSON of 1 MiB can take 0.4 s to read, in which nobody else is answered
        ge=1024,
        description="largest request body, beside an upload's recording",
    )
    max_streams: int = Field(
        0,
        ge=0,
        le=4096,
        description="streams at once at most; 0: 64; fewer if not all are kept fed",
    )
    max_sockets: int = Field(
        1024, ge=1, le=65536, description="WebSockets open at once, speaking or not"
    )
    min_streams: int = Field(
        1, ge=1, le=4096, description="streams at once at least, even if not all are kept fed"
    )
    queue_s: float = Field(
        2.0, ge=0, le=60, description="one more stream waits so long before it is answered 429"
    )
    stall_timeout_s: float = Field(
        30.0, gt=0, description="a listener that is so far behind its own playback is cut off"
    )
    full_stall_timeout_s: float = Field(
        5.0, gt=0, description="the same, while others find no place"
    )
    shutdown_timeout_s: int = Field(
        30, ge=0, description="what running streams get to finish when the service is stopped"
    )
    api_keys: Secrets = Field(
        {},
        description="API keys whose holders may do everything: one SECRET, or "
        "NAME=SECRET,NAME=SECRET, or a table in TOML; each of 16 characters at least",
    )
    api_keys_file: File = Field(
        None,
        description="TOML file of API keys with what each may do; read again when it changes; "
        "empty: none",
    )
    open_to_everybody: bool = Field(
        False,
        description="serve other machines without API keys: for a network whose every user you "
        "trust",
    )
    cors_origins: Names = Field((), description="web origins that may call the service; * for all")
    allowed_hosts: Names = Field(
        (),
        description="domain names that lead to the service, .example.com for all below it, * for "
        "any; localhost, IP addresses and names of private networks need not be listed",
    )
    builtin_threads: int = Field(
        2, ge=1, le=64, description="threads for one sentence of the built-in voice"
    )
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="what is logged"
    )

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name != "*" and ("*" in name or "/" in name or name.count(":") == 1):
                raise ValueError(
                    f"{name!r} has more in it than a name: leave out scheme and port, and write "
                    ".example.com for all names below it"
                )
        return names

    @field_validator("min_streams")
    @classmethod
    def _within_bounds(cls, value: int, info: ValidationInfo) -> int:
        most = info.data.get("max_streams") or value
        if value > most:
            raise ValueError(f"it is more than max_streams, {most}")
        return value


def load_settings(
    config: Path | None = None,
    flags: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[Settings, dict[str, str]]:
    """Read the settings from all sources.

    Args:
        config: A TOML file; without it the one that MIRA_CONFIG names, if any.
        flags: Setting name -> value, from the command line; None values are not set.
        environment: For tests; the process's own by default.

    Returns:
        The settings, and setting name -> where its value came from, for those not at default.

    Raises:
        InvalidSettings: A name that does not exist, with the nearest that does, or a value that
            can't be used.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, object] = {}
    sources: dict[str, str] = {}

    def take(found: Mapping[str, object], source: str) -> None:
        for name, value in found.items():
            if name not in Settings.model_fields:
                raise InvalidSettings(_unknown(name, source))
            values[name] = value
            sources[name] = source

    path = config or (Path(named) if (named := environment.get(CONFIG_VARIABLE)) else None)
    if path is not None:
        take(_read_toml(path), str(path))
    for variable, value in sorted(environment.items()):
        if variable.startswith(PREFIX) and variable != CONFIG_VARIABLE:
            take({variable.removeprefix(PREFIX).lower(): value}, variable)
    take({name: value for name, value in (flags or {}).items() if value is not None}, "flag")

    try:
        return Settings(**values), sources
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        given = "what was given" if name in SECRET else repr(values[name])
        raise InvalidSettings(
            f"{sources[name]}: {name} can't be {given}: {first['msg']}."
        ) from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidSettings(f"{path}: can't be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{path}: is not valid TOML: {error}.") from error


def _unknown(name: str, source: str) -> str:
    variable = source.startswith(PREFIX)
    near = difflib.get_close_matches(name, Settings.model_fields, n=1, cutoff=0.4)
    shown = [PREFIX + match.upper() if variable else match for match in near]
    hint = f" Did you mean {shown[0]}?" if shown else " `mira config` lists them all."
    what = source if variable else f"{source}: {name}"
    return f"{what}: there is no such setting.{hint}"
