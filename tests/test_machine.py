"""A container's limits are found in either version, and the tightest counts."""

from pathlib import Path

from mira.machine import Limits, free_memory, limits_here, read_limits

GIB = 1 << 30


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_the_tightest_limit_of_version_2_counts(tmp_path: Path) -> None:
    write(
        tmp_path,
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
    assert read_limits("0::/pod/app\n", tmp_path) == Limits(1.5, 4 * GIB, 2 * GIB)


def test_limits_of_version_1(tmp_path: Path) -> None:
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
    write(tmp_path, files)
    assert read_limits(groups, tmp_path) == Limits(2.0, 2 * GIB, 0)
    assert read_limits("4:memory:/\n1:cpu,cpuacct:/\n", tmp_path) == Limits()


def test_in_a_container_the_groups_name_may_be_the_hosts(tmp_path: Path) -> None:
    write(tmp_path, {"cpu.max": "100000 100000", "memory.max": str(GIB)})
    assert read_limits("0::/system.slice/docker-12.scope\n", tmp_path) == Limits(1.0, GIB, GIB)
    assert read_limits("", tmp_path) == Limits()
    assert read_limits("0::/\n", tmp_path / "nothing") == Limits()
    write(tmp_path, {"cpu.max": "", "memory.max": "a lot"})
    assert read_limits("0::/\n0", tmp_path) == Limits()


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
