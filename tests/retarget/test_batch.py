from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from kinematics.errors import InputError, MissingFileError, UnknownNameError
from kinematics.io import load_motion, save_motion
from retarget import RetargetConfig, retarget
from retarget import batch as batches
from retarget.batch import retarget_folder
from retarget.batch_clip import ClipResult, do_clip
from retarget.batch_job import Job, digest_options
from retarget.batch_manifest import NAME, Manifest
from retarget.batch_page import as_page
from retarget.batch_report import BARS, BatchReport, over_bars
from retarget.cli import main
from retarget.robots import load_robot, load_robot_motion

ROOT = Path(__file__).resolve().parents[2]
PRAXIS = ROOT / "data" / "robots" / "praxis.xml"
# A worker that dies of a clip called "killer" and meets a mistake of ours in one called "bug".
WORKER = """
import json, os, sys, time
sys.path[:] = json.loads(sys.argv[1])
from retarget import batch_clip, batch_workers
real = batch_clip._do
def do(settings, task):
    if "killer" in task.source:
        os.kill(os.getpid(), 9)
    if "bug" in task.source:
        print("printed into the middle of it")
        raise ZeroDivisionError("nothing by nothing")
    return real(settings, task)
batch_clip._do = do
batch_workers.serve()
"""
# A worker that is slow and does nothing; and the command line that starts it without reading the target's body.
SLOW_WORKER = """
import json, os, shutil, sys, time
from pathlib import Path
sys.path[:] = json.loads(sys.argv[1])
from retarget import batch_clip, batch_workers
def do(settings, task):
    out = Path(settings.out)
    (out / "new_pid").write_text(str(os.getpid()))
    (out / "new_pid").replace(out / "pid")  # whole, whenever the worker is killed
    (out / task.output).parent.mkdir(exist_ok=True)
    (out / f".{task.output[-5:]}.0123456789ab.part").write_text("half")
    time.sleep(0.3)
    shutil.copy(task.path, out / task.output)
    key = batch_clip.key_of(Path(task.path), settings.options)
    return batch_clip.ClipResult(task.source, "done", output=task.output, frames=1, key=key)
batch_clip._do = do
batch_workers.make_job = lambda *arguments: None
batch_workers.serve()
"""
COMMAND = f"""
import retarget.batch, retarget.batch_workers
retarget.batch_workers.START = {SLOW_WORKER!r}
retarget.batch.make_job = lambda *arguments: None
from retarget.cli import main
main()
"""


@pytest.fixture(scope="module")
def made(bodies, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    save_motion(bodies.person("LAFAN1").walk(12), folder / "walk.bvh")
    save_motion(bodies.person("Mixamo", seed=2).walk(9), folder / "other.bvh")
    save_motion(bodies.z_up(bodies.person("SMPL", seed=1).walk(12), 100.0), folder / "target.bvh")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Three clips, one of them in a folder below."""
    (tmp_path / "clips" / "deep").mkdir(parents=True)
    for name in ("a.bvh", "b.BVH", "deep/a.bvh"):
        shutil.copy(made / ("other.bvh" if name == "b.BVH" else "walk.bvh"), tmp_path / "clips" / name)
    shutil.copy(made / "target.bvh", tmp_path / "target.bvh")
    return tmp_path


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Do the clips in this process; what was done is listed."""
    done: list[str] = []

    def stream(settings: object, tasks: list, workers: int) -> Iterator[ClipResult]:
        for task in tasks:
            done.append(task.source)
            yield do_clip(settings, task)

    monkeypatch.setattr(batches, "run_in_workers", stream)
    return done


@pytest.fixture
def quick(made: Path, here: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let every clip become itself, where what it becomes is not the point."""
    some = retarget(load_motion(made / "walk.bvh"), load_motion(made / "target.bvh"))
    monkeypatch.setattr(Job, "retarget", lambda job, source: replace(some, motion=source))
    monkeypatch.setattr(Job, "score", lambda job, source, result: {})
    return here


def run(folder: Path, **options: object) -> BatchReport:
    return retarget_folder(folder / "clips", folder / "target.bvh", folder / "out", **({"pictures": False} | options))


def test_every_clip_becomes_what_retarget_makes_of_it(folder: Path, here: list[str]) -> None:
    before = {path: path.read_bytes() for path in (folder / "clips").rglob("*.[bB]*")}
    report = run(folder, pictures=True, config=RetargetConfig(hands=0.5))
    assert [result.source for result in report.results] == ["a.bvh", "b.BVH", "deep/a.bvh"] and not report.failed
    for name in ("a.bvh", "b.BVH", "deep/a.bvh"):
        expected = retarget(
            load_motion(folder / "clips" / name), load_motion(folder / "target.bvh"), config=RetargetConfig(hands=0.5)
        )
        np.testing.assert_allclose(load_motion(folder / "out" / name).root_positions, expected.motion.root_positions, atol=1e-9)
        assert (folder / "out" / "pictures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads((folder / "out" / "report.json").read_text())
    assert told["format_version"] == 1 and told["totals"]["clips"] == told["totals"]["done"] == 3
    assert told["totals"]["frames"] == 12 + 9 + 12
    assert all(clip["frames"] and clip["seconds"] > 0 and clip["numbers"].keys() >= BARS.keys() for clip in told["clips"])
    assert all(
        clip["numbers"]["mapped_joints"] > 10 and clip["numbers"]["limb_direction_mean_degrees"] < 20 for clip in told["clips"]
    )
    assert before == {path: path.read_bytes() for path in before}


def test_a_second_run_does_what_changed_vanished_or_failed_and_no_more(folder: Path, made: Path, quick: list[str]) -> None:
    clips, out = folder / "clips", folder / "out"
    (clips / "torn.bvh").write_bytes((made / "walk.bvh").read_bytes()[:600])
    report = run(folder)
    assert [result.source for result in report.failed] == ["torn.bvh"] and "torn.bvh:" in report.failed[0].reason
    written = (out / "a.bvh").stat().st_mtime_ns
    quick.clear()
    again = run(folder)
    assert quick == ["torn.bvh"] and again.totals["done_before"] == 3 and (out / "a.bvh").stat().st_mtime_ns == written
    assert [replace(one, seconds=0.0, from_before=False) for one in again.results] == [
        replace(one, seconds=0.0) for one in report.results
    ]
    shutil.copy(made / "walk.bvh", clips / "torn.bvh")  # mended
    shutil.copy(made / "walk.bvh", clips / "b.BVH")  # changed
    (clips / "a.bvh").rename(clips / "renamed.bvh")
    (out / "deep" / "a.bvh").unlink()
    quick.clear()
    assert not run(folder).failed and sorted(quick) == ["b.BVH", "deep/a.bvh", "renamed.bvh", "torn.bvh"]
    assert load_motion(out / "b.BVH").num_frames == 12
    quick.clear()
    run(folder, config="style")
    assert len(quick) == 4  # other settings
    shutil.copy(made / "walk.bvh", folder / "target.bvh")
    quick.clear()
    run(folder, config="style")
    assert len(quick) == 4  # another target
    quick.clear()
    run(folder, config="style", pictures=True)
    assert len(quick) == 4 and (out / "pictures" / "deep" / "a.bvh.png").is_file()
    quick.clear()
    run(folder, config="style")
    assert not quick


def test_equal_settings_have_one_hash_and_others_another() -> None:
    pins = {"hand": np.zeros((4, 3))}
    one = digest_options("target", RetargetConfig(pins=pins))
    assert one == digest_options("target", RetargetConfig(pins={"hand": np.zeros((4, 3))}))
    moved = {"hand": np.zeros((4, 3)) + [0, 0, 1e-12]}
    others = [
        digest_options("other", RetargetConfig(pins=pins)),
        digest_options("target", RetargetConfig(pins=moved)),
        digest_options("target", RetargetConfig()),
        digest_options("target", RetargetConfig(pins=pins, part="upper")),
        digest_options("target", RetargetConfig(pins=pins, in_place=True)),
    ]
    assert len({one, *others}) == 6


def test_a_manifest_that_a_crash_has_cut_off_loses_one_line(tmp_path: Path) -> None:
    with Manifest(tmp_path / NAME) as manifest:
        for name in "abc":
            manifest.add(ClipResult(name, "done", numbers={"x": 1.0}, notes=("n",)))
        with pytest.raises(InputError, match="another batch is writing into"), Manifest(tmp_path / NAME):
            pass
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[:-9])
    with Manifest(tmp_path / NAME) as manifest:
        assert manifest.results == {name: ClipResult(name, "done", numbers={"x": 1.0}, notes=("n",)) for name in "ab"}
        manifest.add(ClipResult("c", "failed", "again"))
        manifest.add(ClipResult("a", "failed"))
    with Manifest(tmp_path / NAME) as manifest:
        assert {name: result.status for name, result in manifest.results.items()} == {"a": "failed", "b": "done", "c": "failed"}
    (tmp_path / NAME).write_text('{"format_version": 99}\n')
    with pytest.raises(InputError, match="format_version 99"), Manifest(tmp_path / NAME):
        pass


def test_an_output_folder_among_the_sources_does_not_feed_on_itself(folder: Path, quick: list[str]) -> None:
    clips = folder / "clips"
    (clips / "._a.bvh").write_text("what a Mac leaves behind")
    for out in ("out", "other", "out"):
        report = retarget_folder(clips, folder / "target.bvh", clips / out, pictures=False)
        assert [result.source for result in report.results] == ["a.bvh", "b.BVH", "deep/a.bvh"]
    with pytest.raises(InputError, match=r"result of a\.bvh would overwrite a\.bvh"):
        retarget_folder(clips, folder / "target.bvh", clips)
    with pytest.raises(InputError, match=r"result of deep/a\.bvh would overwrite a\.bvh"):
        (clips / "link").mkdir()
        (clips / "link" / "deep").symlink_to(clips)
        retarget_folder(clips, folder / "target.bvh", clips / "link")
    assert sorted(path.name for path in (clips / "link").iterdir()) == ["deep"]


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["retarget", "batch", *arguments])
    with pytest.raises(SystemExit) as exit_info:
        main()
    return int(exit_info.value.code or 0)


def test_the_command_takes_the_settings_of_a_single_clip(folder: Path, here: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    shutil.rmtree("clips/deep")
    plain = ("clips", "--to", "target.bvh", "-o", "out", "--no-pictures")
    assert command(monkeypatch, *plain, "--part", "upper", "--in-place") == 0
    config = RetargetConfig(part="upper", in_place=True)
    for name in ("a.bvh", "b.BVH"):
        expected = retarget(load_motion(Path("clips", name)), load_motion("target.bvh"), config=config).motion
        written = load_motion(Path("out", name))
        np.testing.assert_allclose(written.root_positions, expected.root_positions, atol=1e-9)
        np.testing.assert_allclose(written.local_rotations, expected.local_rotations, atol=1e-9)
    numbers = json.loads(Path("out/report.json").read_text())["clips"][0]["numbers"]
    assert numbers["stance_slide_cm_s"] is None and numbers["turn_ratio"] is not None  # in place every foot slides
    here.clear()
    assert command(monkeypatch, *plain, "--part", "upper", "--in-place") == 0 and not here
    assert command(monkeypatch, *plain, "--part", "upper") == 0 and len(here) == 2
    assert command(monkeypatch, *plain) == 0 and len(here) == 4


def test_a_robot_gets_what_the_command_for_one_clip_writes(
    folder: Path, here: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mujoco")
    shutil.copy(PRAXIS, folder / "praxis.xml")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["retarget", "clips/a.bvh", "--to", "praxis.xml", "-o", "one.csv", "--no-picture"])
    with pytest.raises(SystemExit, match="0|None"):
        main()
    plain = ("clips", "--to", "praxis.xml", "-o", "out")
    assert command(monkeypatch, *plain) == 0 and len(here) == 3
    assert Path("out/deep/a.csv").read_bytes() == Path("out/a.csv").read_bytes() == Path("one.csv").read_bytes()
    robot = load_robot("praxis.xml")
    assert load_robot_motion(robot, "out/b.csv").num_frames == 9
    clip = json.loads(Path("out/report.json").read_text())["clips"][0]
    assert clip["output"] == "a.csv" and not any("not scored" in note for note in clip["notes"])
    assert clip["numbers"].keys() >= BARS.keys() and clip["numbers"]["outside_limits_fraction"] == 0.0
    assert Path("out/pictures/a.csv.png").read_bytes().startswith(b"\x89PNG")
    here.clear()
    assert command(monkeypatch, *plain) == 0 and not here
    with Path("praxis.xml").open("a") as model:
        model.write("<!-- another model -->\n")
    shutil.rmtree("clips/deep")
    Path("clips/b.BVH").unlink()
    assert command(monkeypatch, *plain, "--format", "npz", "--no-pictures") == 0 and here == ["a.bvh"]
    assert load_robot_motion(robot, "out/a.npz").num_frames == 12


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--to", "unitre_g1"), "did you mean 'unitree_g1'"),
        (("--to", str(PRAXIS), "--part", "lower"), "a robot is retargeted as a whole"),
    ],
)
def test_a_robot_that_cannot_be_is_refused_before_any_work(
    folder: Path,
    here: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    (folder / "menagerie" / "unitree_g1").mkdir(parents=True)
    (folder / "menagerie" / "unitree_g1" / "g1.xml").write_text("<mujoco/>")
    monkeypatch.setenv("MENAGERIE_ROOT", str(folder / "menagerie"))
    monkeypatch.chdir(folder)
    assert command(monkeypatch, "clips", *arguments, "-o", "out") == 2
    said = capsys.readouterr().err.strip()
    assert words in said and "Traceback" not in said and not here and not Path("out").exists()


def test_a_result_that_cannot_be_scored_is_a_result(folder: Path, quick: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (InputError("nothing to compare"), ZeroDivisionError("nothing by nothing")):
        monkeypatch.setattr(Job, "score", Mock(side_effect=error))
        shutil.rmtree(folder / "out", ignore_errors=True)
        report = run(folder)
        assert not report.failed and (folder / "out" / "a.bvh").is_file()
        assert all(str(error) in result.notes[-1] and "not scored: " in result.notes[-1] for result in report.results)


def refusals(folder: Path) -> Iterator[tuple[type[Exception], str, Callable[[], object]]]:
    clips, target, out = folder / "clips", folder / "target.bvh", folder / "out"
    (folder / "empty" / "inside").mkdir(parents=True)
    (folder / "file").write_text("")
    (folder / "prop.bvh").write_text(
        "HIERARCHY\nROOT box\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\nEnd Site\n{\nOFFSET 0 1 0\n}\n}\n"
        "MOTION\nFrames: 1\nFrame Time: 0.1\n0 0 0\n"
    )
    yield MissingFileError, "there is no file .*'?clip", lambda: retarget_folder(folder / "clip", target, out)
    yield InputError, "is a file; a batch takes a folder", lambda: retarget_folder(target, target, out)
    yield InputError, "no motion file", lambda: retarget_folder(folder / "empty", target, out)
    yield MissingFileError, "no file .*nobody", lambda: retarget_folder(clips, folder / "nobody.bvh", out)
    yield InputError, "target is not a body", lambda: retarget_folder(clips, folder / "prop.bvh", out)
    yield InputError, "is a file; a batch writes", lambda: retarget_folder(clips, target, folder / "file")
    yield InputError, "cannot make the folder", lambda: retarget_folder(clips, target, folder / "file" / "out")
    yield InputError, "workers must be 1 or more, got 0", lambda: retarget_folder(clips, target, out, workers=0)
    yield InputError, "not both", lambda: retarget_folder(clips, target, out, workers=1, ray="auto")
    yield UnknownNameError, "no preset named 'foot'", lambda: retarget_folder(clips, target, out, config="foot")
    yield UnknownNameError, "no format named '.csv'", lambda: retarget_folder(clips, target, out, extension=".csv")
    yield MissingFileError, "no file .*praxi.xml", lambda: retarget_folder(clips, PRAXIS.with_name("praxi.xml"), out)
    yield (
        InputError,
        "as a whole .* got 'upper'",
        lambda: retarget_folder(clips, PRAXIS, out, config=RetargetConfig(part="upper")),
    )
    yield UnknownNameError, "no format named '.fbx'", lambda: retarget_folder(clips, target, out, extension=".fbx")
    yield InputError, "b.BVH and b.npz would both become b.npz", lambda: retarget_folder(clips, target, out, extension=".npz")
    (folder / "over").mkdir()
    (folder / "over" / "b.BVH").symlink_to(target)
    yield InputError, "result of b.BVH would overwrite .*target.bvh", lambda: retarget_folder(clips, target, folder / "over")


def test_what_cannot_start_is_refused_before_any_work(folder: Path, here: list[str]) -> None:
    save_motion(load_motion(folder / "clips" / "b.BVH"), folder / "clips" / "b.npz")
    for kind, words, attempt in refusals(folder):
        with pytest.raises(kind, match=words):
            attempt()
    assert not here and not (folder / "out").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere, and Windows has other rules")
def test_a_folder_that_may_not_be_written(folder: Path, here: list[str]) -> None:
    (folder / "out").mkdir(mode=0o500)
    with pytest.raises(InputError, match="cannot write"):
        run(folder)


class Links(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_failures_then_the_worst() -> None:
    good = {
        "limb_direction_mean_degrees": 1.0,
        "direction_mean_degrees": 9.0,
        "stance_slide_cm_s": 4.0,
        "stance_slide_source_cm_s": 5.0,
    }
    results = (
        ClipResult("fine<b>.bvh", "done", output="fine<b>.bvh", picture="pictures/fine<b>.bvh.png", numbers=good),
        ClipResult("poor?.bvh", "done", output="poor?.bvh", numbers=good | {"limb_direction_mean_degrees": 6.0}),
        ClipResult("broken.bvh", "bug", reason="KeyError: <x>", traceback="Traceback & more"),
        ClipResult("plain \udcff.bvh", "done", output="plain \udcff.bvh", numbers={"limb_direction_mean_degrees": None}),
    )
    report = BatchReport("clips & <more>", "target.bvh", Path("out"), results, 2.0)
    page = as_page(report)
    page.encode()  # names of no encoding too
    seen = Links(page)
    order = [seen.text.index(name) for name in ("broken.bvh", "poor?.bvh", "fine<b>.bvh", "plain ?.bvh")]
    assert order == sorted(order) and "KeyError: <x>" in seen.text and "Traceback & more" in seen.text
    assert set(seen.targets) == {"poor%3F.bvh", "fine%3Cb%3E.bvh", "pictures/fine%3Cb%3E.bvh.png", "plain%20%FF.bvh"}
    assert over_bars(results[1]) == ("limb_direction_mean_degrees",)
    assert not over_bars(results[0])  # slides as its source does; spines differ in build
    json.loads(report.as_json())


def test_a_bug_and_a_killed_worker_cost_one_clip_each(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("killer.bvh", "bug.bvh"):
        shutil.copy(folder / "clips" / "a.bvh", folder / "clips" / name)
    monkeypatch.setattr("retarget.batch_workers.START", WORKER)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(
        sys, "argv", ["retarget", "batch", "clips", "--to", "target.bvh", "-o", "out", "--no-pictures", "--workers", "1"]
    )
    with pytest.raises(SystemExit) as exit_info:
        main()
    shown = capsys.readouterr().out
    assert exit_info.value.code == 1 and "5: 3 done, 2 failed" in shown and "wrote out/index.html" in shown
    clips = {clip["source"]: clip for clip in json.loads((folder / "out" / "report.json").read_text())["clips"]}
    assert [clips[name]["status"] for name in ("a.bvh", "b.BVH", "deep/a.bvh")] == ["done"] * 3
    assert clips["bug.bvh"]["status"] == "bug" and "ZeroDivisionError: nothing by nothing" in clips["bug.bvh"]["reason"]
    assert "in do_clip" in clips["bug.bvh"]["traceback"]
    assert clips["killer.bvh"]["status"] == "killed" and "SIGKILL" in clips["killer.bvh"]["reason"]
    assert "pictures" not in {path.name for path in (folder / "out").iterdir()}


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes as Linux shows them")
def test_goes_on_after_ctrl_c_and_after_a_crash(folder: Path, quick: list[str], interruptible: Callable[[], None]) -> None:
    for index in range(5):
        shutil.copy(folder / "clips" / "a.bvh", folder / "clips" / f"more{index}.bvh")
    line = [
        sys.executable,
        "-c",
        COMMAND,
        "batch",
        "clips",
        "--to",
        "target.bvh",
        "-o",
        "out",
        "--no-pictures",
        "--workers",
        "1",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done, manifest = 0, folder / "out" / NAME

    def count() -> int:
        return manifest.read_bytes().count(b'"done"') if manifest.exists() else 0

    for ending, status in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        process = subprocess.Popen(line, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=interruptible)
        wait_for(lambda: count() > done)  # noqa: B023 - called at once
        process.send_signal(ending)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == status
        worker = int((folder / "out" / "pid").read_text())
        wait_for(lambda: not alive(worker))  # noqa: B023 - called at once
        if ending == signal.SIGINT:
            assert len(errors.strip().splitlines()) == 1 and "of 8 files are done; the same command goes on" in errors
            assert not list((folder / "out").rglob("*.part"))
        done = count()
        assert done < 8
    assert list((folder / "out").rglob("*.part"))  # what the crash has left
    report = run(folder)
    assert len(quick) == 8 - done and not report.failed and report.totals["done_before"] == done
    assert count() == 8 and not list((folder / "out").rglob("*.part"))
