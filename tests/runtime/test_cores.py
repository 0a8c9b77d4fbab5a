"""Cores by affinity and by the quotas of control groups, from files as systems write them."""

import os

import pytest

from tinycnn.runtime import cores as module
from tinycnn.runtime.cores import cores, own_quota


class System:
    """The files that tell a process its control groups, in a folder with a blank in its name."""

    def __init__(self, folder):
        self.process, self.groups = folder / "process", folder / "control groups"
        self.process.mkdir()

    def mounted(self, kind, options, at, root="/"):
        point = str(self.groups / at).replace(" ", r"\040")
        line = f"31 23 0:28 {root} {point} rw,relatime shared:9 - {kind} {kind} {options}\n"
        with (self.process / "mountinfo").open("a", encoding="utf-8") as file:
            file.write("22 1 8:1 / / rw - ext4 /dev/root rw\n" + line)

    def belongs_to(self, *lines):
        text = "".join(f"{line}\n" for line in lines)
        (self.process / "cgroup").write_text(text, encoding="utf-8")

    def states(self, file, text):
        path = self.groups / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @property
    def quota(self):
        return own_quota(self.process)


@pytest.fixture
def system(tmp_path):
    return System(tmp_path)


@pytest.fixture
def version_2(system):
    system.mounted("cgroup2", "rw,nsdelegate", "unified")
    system.belongs_to("0::/user.slice/job")
    return system


@pytest.fixture
def version_1(system):
    system.mounted("cgroup", "rw,cpuset", "cpuset")
    system.mounted("cgroup", "rw,cpu,cpuacct", "cpu,cpuacct")
    system.belongs_to("3:cpuset:/", "2:cpu,cpuacct:/docker/ab12", "1:name=systemd:/docker/ab12")
    return system


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max 100000\n", None), ("200000 100000\n", 2), ("150000 100000\n", 2), ("100001 100000\n", 2),
        ("100000 100000\n", 1), ("1000 100000\n", 1), ("300 100\n", 3),
    ],
)  # fmt: skip
def test_the_quota_of_version_2_is_rounded_up(version_2, text, expected):
    version_2.states("unified/user.slice/job/cpu.max", text)
    assert version_2.quota == expected


@pytest.mark.parametrize(
    ("quota", "period", "expected"),
    [("-1", "100000", None), ("250000", "100000", 3), ("50000", "100000", 1), ("100", "50", 2)],
)
def test_the_quota_of_version_1_is_rounded_up(version_1, quota, period, expected):
    version_1.states("cpu,cpuacct/docker/ab12/cpu.cfs_quota_us", f"{quota}\n")
    version_1.states("cpu,cpuacct/docker/ab12/cpu.cfs_period_us", f"{period}\n")
    assert version_1.quota == expected


@pytest.mark.parametrize(
    "where", ["unified/cpu.max", "unified/user.slice/cpu.max", "unified/user.slice/job/cpu.max"]
)
def test_the_least_of_a_group_and_those_around_it_counts(version_2, where):
    for file in ("unified/user.slice/cpu.max", "unified/user.slice/job/cpu.max"):
        version_2.states(file, "500000 100000\n")
    version_2.states(where, "300000 100000\n")
    version_2.states("unified/user.slice/other/cpu.max", "100000 100000\n")
    version_2.states("unified/user.slice/job/below/cpu.max", "100000 100000\n")
    assert version_2.quota == 3


def test_a_group_named_as_it_is_outside_its_container(system):
    """A mount that begins at the container's group: as it is within it, or within another's view."""
    system.mounted("cgroup", "rw,cpu", "cpu", root="/docker/ab12")
    system.belongs_to("2:cpu:/docker/ab12/job")
    system.states("cpu/job/cpu.cfs_quota_us", "200000\n")
    system.states("cpu/job/cpu.cfs_period_us", "100000\n")
    assert system.quota == 2


def test_a_group_that_is_not_seen_leaves_that_of_the_mount(system):
    system.mounted("cgroup", "rw,cpu", "cpu", root="/docker/ab12")
    system.belongs_to("2:cpu:/elsewhere")
    system.states("cpu/cpu.cfs_quota_us", "200000\n")
    system.states("cpu/cpu.cfs_period_us", "100000\n")
    assert system.quota == 2


def test_both_versions_at_once(version_1):
    version_1.mounted("cgroup2", "rw", "unified")
    version_1.belongs_to("2:cpu,cpuacct:/docker/ab12", "0::/")
    version_1.states("unified/cpu.max", "max 100000\n")
    version_1.states("cpu,cpuacct/docker/cpu.cfs_quota_us", "400000\n")
    version_1.states("cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n")
    assert version_1.quota == 4


@pytest.mark.parametrize(
    "text",
    ["", "\n", "max", "100000", "0 100000", "100000 0", "-5 100000", "1.5 1", "two one", "1 2 3", "9" * 5000,
     "\N{SUPERSCRIPT TWO} 1", "\udcff\udcfe 100000"],
)  # fmt: skip
def test_what_is_no_limit_is_none(version_2, text):
    file = version_2.groups / "unified/user.slice/job/cpu.max"
    file.parent.mkdir(parents=True)
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert version_2.quota is None


@pytest.mark.parametrize("mounts", ["", "\n", "31 23 0:28\n", "a - cgroup2\n", " - cgroup2 a b\n"])
@pytest.mark.parametrize("groups", ["", "\n", "0\n", "0:\n", "::\n", "0::/../..\n", "0::\n"])
def test_odd_files_of_a_process_are_no_error(system, mounts, groups):
    (system.process / "mountinfo").write_text(mounts, encoding="utf-8")
    (system.process / "cgroup").write_text(groups, encoding="utf-8")
    assert system.quota is None


def test_files_that_are_not_there_or_are_folders_are_no_error(system, version_2):
    assert version_2.quota is None
    (version_2.groups / "unified/user.slice/job/cpu.max").mkdir(parents=True)
    own_quota.cache_clear()
    assert version_2.quota is None
    assert own_quota(system.process / "nothing") is None


@pytest.mark.parametrize(
    ("cpus", "quota", "expected"), [(4, None, 4), (4, 2, 2), (2, 4, 2), (3, 3, 3)]
)
def test_cores_are_those_of_the_affinity_within_the_quota(monkeypatch, cpus, quota, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cpus)), raising=False)
    monkeypatch.setattr(module, "own_quota", lambda: quota)
    assert cores() == expected


def test_cores_where_the_system_does_not_tell_which_are_ours(monkeypatch):
    monkeypatch.setattr(module, "own_quota", lambda: None)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores() == 1
