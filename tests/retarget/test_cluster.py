from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from kinematics.errors import MissingExtraError
from kinematics.io import load_motion, save_motion
from retarget import RetargetConfig, RetargetError, cluster, retarget
from retarget.batch import Progress, retarget_folder
from retarget.batch_clip import ClipResult, Settings, Task, do_clip
from retarget.batch_manifest import NAME

CLIPS = 12
NOTHING = Settings("", "", "", RetargetConfig(), False, "")


def slow_chunk(settings: Settings, tasks: Sequence[Task]) -> list[ClipResult]:
    """Do what a task does, slowly; note which machine began it."""
    import ray

    begun = Path(settings.out).parent / "begun"
    (begun / f"{ray.get_runtime_context().get_node_id()} {time.time_ns()}").write_text(tasks[0].source)
    time.sleep(0.3)
    return [do_clip(settings, task) for task in tasks]


def test_small_clips_share_a_task_and_large_ones_do_not() -> None:
    sizes = [10 << 20, *[1000] * 40, 5 << 20, 5 << 20]
    tasks = [Task(f"/{index}", str(index), str(index), size) for index, size in enumerate(sizes)]
    chunks = cluster._chunks(tasks, 1)
    assert [task for chunk in chunks for task in chunk] == tasks
    assert max(map(len, chunks)) == cluster.CHUNK and [len(chunk) for chunk in chunks if chunk[0].size > 4 << 20] == [1, 1, 1]
    assert len(cluster._chunks(tasks[1:41], 10)) == 40  # enough for every processor
    assert cluster._chunks([], 4) == []


def test_without_ray_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'muybridge\[cluster\]'"):
        next(cluster.run_on_cluster(NOTHING, [], "auto"))


def test_a_machine_that_cannot_do_a_task_is_no_worker_that_died(monkeypatch: pytest.MonkeyPatch) -> None:
    class RayError(Exception):
        pass

    class RayTaskError(RayError):
        cause = AttributeError("'Settings' object\nhas no attribute 'pictures'")

    class Fake:
        exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

        def remote(self, function: object) -> Fake:
            return self

        def options(self, **options: object) -> SimpleNamespace:
            return SimpleNamespace(remote=lambda settings, tasks: tuple(tasks))

        def is_initialized(self) -> bool:
            return True

        def cluster_resources(self) -> dict[str, float]:
            return {"CPU": 1.0}

        def wait(self, references: list, timeout: float) -> tuple[list, list]:
            return references[:1], references[1:]

        def get(self, reference: tuple[Task, ...]) -> list[ClipResult]:
            for task in reference:
                if task.source in ("old", "dead"):
                    raise RayTaskError("Traceback of the machine") if task.source == "old" else RayError("gone")
            return [ClipResult(task.source, "done") for task in reference]

    monkeypatch.setitem(sys.modules, "ray", Fake())
    names = ["a", "old", "b", "dead", *"cdefgh"]
    tasks = [Task(f"/{name}", name, name, 10) for name in names]
    results = {result.source: result for result in cluster.run_on_cluster(NOTHING, tasks, "auto")}
    assert {name: result.status for name, result in results.items()} == dict.fromkeys(names, "done") | {
        "old": "bug",
        "dead": "killed",
    }
    assert "AttributeError: 'Settings' object has no attribute 'pictures'" in results["old"].reason
    assert results["old"].traceback == "Traceback of the machine" and "died" not in results["old"].reason


@pytest.mark.filterwarnings("ignore")
def test_a_machine_that_dies_at_work_loses_nothing_and_doubles_nothing(
    bodies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'muybridge[cluster]'")
    from ray.cluster_utils import Cluster

    folder, target, out = tmp_path / "clips", tmp_path / "target.bvh", tmp_path / "out"
    folder.mkdir()
    (tmp_path / "begun").mkdir()
    save_motion(bodies.person("LAFAN1").walk(12), folder / "0.bvh")
    save_motion(bodies.z_up(bodies.person("SMPL", seed=1).walk(12), 100.0), target)
    for index in range(1, CLIPS):
        shutil.copy(folder / "0.bvh", folder / f"{index}.bvh")
    (folder / "bad.bvh").write_text("no motion")
    slow_chunk.__module__ = "__main__"  # travels as code: the machines cannot import tests
    monkeypatch.setattr(cluster, "_do_chunk", slow_chunk)
    machine = {"num_cpus": 1, "object_store_memory": 80 << 20}
    machines = Cluster(initialize_head=True, head_node_args=machine | {"include_dashboard": False})
    try:
        second = machines.add_node(**machine)
        kept: list[int] = []

        def begun() -> Counter[str]:
            return Counter(path.name.split()[0] for path in (tmp_path / "begun").iterdir())

        def kill(now: Progress) -> None:
            if now.done and not kept:
                end = time.monotonic() + 20.0
                while not begun()[second.node_id] and time.monotonic() < end:
                    time.sleep(0.02)
                assert begun()[second.node_id], "the second machine never worked"
                machines.remove_node(second, allow_graceful=False)
                kept.append(now.done)

        report = retarget_folder(folder, target, out, ray=machines.address, pictures=False, on_progress=kill)
    finally:
        machines.shutdown()
    assert kept and kept[0] < CLIPS
    assert len(report.done) == CLIPS and [result.source for result in report.failed] == ["bad.bvh"]
    entries = [json.loads(line) for line in (out / NAME).read_text().splitlines()[1:]]
    assert sorted(entry["source"] for entry in entries) == sorted([*(f"{index}.bvh" for index in range(CLIPS)), "bad.bvh"])
    assert sorted(path.name for path in out.glob("*.bvh")) == sorted(f"{index}.bvh" for index in range(CLIPS))
    expected = retarget(load_motion(folder / "0.bvh"), load_motion(target)).motion
    for index in range(CLIPS):
        written = load_motion(out / f"{index}.bvh")
        np.testing.assert_allclose(written.root_positions, expected.root_positions, atol=1e-9)
    assert not list(out.rglob("*.part")) and os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


@pytest.mark.filterwarnings("ignore")
def test_no_cluster_is_said_in_one_sentence() -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'muybridge[cluster]'")
    with pytest.raises(RetargetError, match=r"cannot reach a Ray cluster at 'nowhere'.*ray start --head"):
        next(cluster.run_on_cluster(NOTHING, [], "nowhere"))
