"""Processors are recognised; a container's limits are found, and the tightest counts."""

from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.machine import Limits, free_memory, limits_here, processor_here
from tests.processors import AMD, ARM, INTEL, OLD, RASPBERRY

GIB = 1 << 30


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where control groups are mounted."""
    return tmp_path / "fs" / "cgroup"


def limits(groups: str, root: Path) -> Limits:
    """The limits of a process in these groups."""
    machine = root.parents[1]
    write(machine, {"self/cgroup": groups})
    return limits_here(machine, machine)


@pytest.mark.parametrize(
    ("text", "model", "kind", "features"),
    [
        (INTEL, "Intel(R) Xeon(R) Platinum 8488C", "x86", "AVX2 AVX-512 VNNI bf16 AMX"),
        (AMD, "AMD EPYC 7R13 Processor", "x86", "AVX2"),
        (OLD, "Intel(R) Core(TM) i7-2600 CPU @ 3.40GHz", "x86", ""),
        (ARM, "ARM, implementer 0x41, part 0xd40", "arm", "NEON bf16 SVE"),
        (RASPBERRY, "Raspberry Pi 4 Model B Rev 1.4", "arm", "NEON"),
    ],
)
def test_processors_are_recognised(
    tmp_path: Path, text: str, model: str, kind: str, features: str
) -> None:
    write(tmp_path, {"cpuinfo": text})
    processor = processor_here(tmp_path)
    assert (processor.name, processor.kind) == (model, kind)
    assert {*processor.features} >= {*features.split()}
    assert not {*processor.features} & {*processor.missing}
    assert {"AVX2", "VNNI"} <= {*processor.features, *processor.missing} or kind == "arm"


@given(st.text("flags:Featur \tmode0x\n"))
@hypothesis.settings(max_examples=20)
def test_any_description_of_a_processor_is_survived(text: str) -> None:
    with TemporaryDirectory() as proc:
        write(Path(proc), {"cpuinfo": text})
        processor = processor_here(Path(proc))
    assert processor.name or processor.kind


def test_the_tightest_limit_of_version_2_counts(root: Path) -> None:
    write(
        root,
        {
            "pod/cpu.max": "150000 100000",
            "pod/memory.max": str(4 * GIB),
            "pod/memory.current": str(3 * GIB),
            "pod/memory.stat": f"anon 5\ninactive_file {GIB}",
            "pod/app/cpu.max": "max 100000",
            "pod/app/memory.max": str(8 * GIB),
            "pod/app/memory.current": str(GIB),
            "other/memory.max": "1",
            "memory.max": "max",
        },
    )
    assert limits("0::/pod/app\n", root) == Limits(1.5, 4 * GIB, 2 * GIB)


def test_limits_of_version_1(root: Path) -> None:
    groups = "9:name=systemd:/\n4:memory:/docker/abc\n1:cpu,cpuacct:/docker/abc\n0::/\n"
    files = {
        "cpu/docker/abc/cpu.cfs_quota_us": "200000",
        "cpu/docker/abc/cpu.cfs_period_us": "100000",
        "cpu/cpu.cfs_quota_us": "-1",
        "cpu/cpu.cfs_period_us": "100000",
        "memory/docker/abc/memory.limit_in_bytes": str(2 * GIB),
        "memory/docker/abc/memory.usage_in_bytes": str(3 * GIB),  # it may be, for a moment
        "memory/docker/abc/memory.stat": "total_inactive_file 0",
        "memory/memory.limit_in_bytes": "9223372036854771712",
    }
    write(root, files)
    assert limits(groups, root) == Limits(2.0, 2 * GIB, 0)
    assert limits("4:memory:/\n1:cpu,cpuacct:/\n", root) == Limits()


def test_in_a_container_the_groups_name_may_be_the_hosts(root: Path) -> None:
    write(root, {"cpu.max": "100000 100000", "memory.max": str(GIB)})
    assert limits("0::/system.slice/docker-12.scope\n", root) == Limits(1.0, GIB, GIB)
    assert limits("", root) == Limits()
    assert limits("0::/\n", root / "nothing") == Limits()
    write(root, {"cpu.max": "", "memory.max": "a lot"})
    assert limits("0::/\n0", root) == Limits()


def test_of_the_memory_no_more_is_free_than_the_limit_leaves(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/memory.max": "5000",
            "sys/fs/cgroup/memory.current": "2000",
        },
    )
    limits = limits_here(tmp_path / "proc", tmp_path / "sys")
    assert free_memory(limits) == 3000
    assert free_memory(Limits()) > 1 << 20
    assert limits_here(tmp_path / "nothing", tmp_path / "nothing") == Limits()
