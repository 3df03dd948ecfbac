"""A page in the browser that plays clips: its state, its clock, and what is shown of them."""

from __future__ import annotations

import atexit
import contextlib
import io
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import viser
from jaxtyping import Float

from kinematics.errors import InputError
from kinematics.motion import Motion
from kinematics.viewer import web_stage
from kinematics.viewer.actor import Actor, arrange, file_groups, make_actor
from kinematics.viewer.web_clock import Clock
from kinematics.viewer.web_inspector import Inspector
from kinematics.viewer.web_panel import Panel, Sheet
from kinematics.viewer.web_player import Player
from kinematics.viewer.web_reach import WebReach
from kinematics.viewer.web_scene import ActorView, Layers
from kinematics.viewer.web_stage import Stage

STEP = 1.0 / 30.0  # seconds between two poses that are sent


class Page:
    """Clips in a browser.

    All browsers that look at the page see the same: it has one clock, one frame and one picked joint; each has its own camera.

    Attributes:
        server: The viser server; scene nodes below `stage` move with the bodies when the camera follows.
        stage: Name of the scene node that bodies and all that belongs to them stand under.
        actors: The clips where they stand.
        clock: Its time.
        layers: What is shown.
        picked: Index of a clip, and of the joint that is picked in it, else -1.
        groups: How many of the clips can be placed freely; roots of one file stay together.
        side_by_side: Whether the clips stand beside each other, or as they were recorded.
        lock: Held while the scene is changed.
    """

    stage = web_stage.NAME

    def __init__(
        self, actors: Sequence[Actor], *, host: str = "127.0.0.1", port: int = 8080, sheets: Sequence[Sheet] = ()
    ) -> None:
        """Start a server and show clips.

        Args:
            actors: The clips where their recordings place them, at least one; the first one counts the frames of the page.
            host: Address to listen at.
            port: Port to listen at; the next free one where it is taken.
            sheets: Tables to show beside them.

        Raises:
            InputError: On an address that this machine cannot listen at.
        """
        require_host(host)
        self.lock = threading.RLock()
        self._recorded = list(actors)
        self.groups = len(file_groups([actor.motion for actor in actors]))
        self.side_by_side = self.groups > 1
        self.actors = arrange(self._recorded, side_by_side=self.side_by_side)
        self.clock = make_clock(self.actors)
        self.layers, self.picked = Layers(), (0, -1)
        self._callbacks: list[Callable[[int], None]] = []
        self._stopped, self._wake = threading.Event(), threading.Event()
        with contextlib.redirect_stdout(io.StringIO()):  # its banner; the command prints an address of its own
            self.server = viser.ViserServer(host=host, port=port, label=actors[0].title, verbose=False)
        self.server.gui.configure_theme(show_logo=False, show_share_button=False, brand_color=(46, 108, 186))
        self.server.gui.main_panel.dock_right()
        self.stage_view = Stage(self.server)
        self._views = [
            ActorView(self.server, actor, f"{self.stage}/{k}", title=len(actors) > 1, on_pick=partial(self.pick, k))
            for k, actor in enumerate(self.actors)
        ]
        self._place()
        self.stage_view.follow(self.stage_view.travels, 0)
        self._panel = Panel(self, sheets)
        self._inspector = Inspector(self)
        self.reach = WebReach(self)
        self._panel.add_sheets()
        self._player = Player(self)
        self.set_frame(0)
        atexit.register(self.stop)
        self._thread = threading.Thread(target=self._run, name="player", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{self.server.get_host()}:{self.server.get_port()}"

    @property
    def frame(self) -> int:
        """The frame that is shown, counted at the frame rate of the first clip."""
        return self.clock.frame

    @property
    def num_frames(self) -> int:
        """Frames of the longest clip, counted at the frame rate of the first."""
        return self.clock.num_frames

    @property
    def playing(self) -> bool:
        """Whether time passes."""
        return self.clock.playing

    @property
    def height(self) -> float:
        """Height of the largest body, metres."""
        return max(actor.body.height for actor in self.actors)

    def actor_frame(self, index: int) -> int:
        """Return the frame of a clip that belongs to the frame of the page; a shorter clip rests at its end."""
        return actor_frame(self.actors[index], self.frame * self.clock.frame_time)

    def play(self) -> None:
        """Let time pass."""
        with self.lock:
            self.clock.play()
            self._player.follow()
        self._wake.set()

    def pause(self) -> None:
        """Hold time."""
        with self.lock:
            self.clock.playing = False
            self._player.follow()

    def toggle(self) -> None:
        """Play where it pauses, pause where it plays."""
        self.pause() if self.playing else self.play()

    def set_speed(self, speed: float) -> None:
        """Let time pass faster or slower; 1 is the clip's own pace."""
        with self.lock:
            self.clock.speed = speed
            self._player.follow()

    def set_loop(self, loop: bool) -> None:
        """Start again after the last frame, or stop there."""
        with self.lock:
            self.clock.loop = loop
            self._player.follow()

    def set_layers(self, layers: Layers) -> None:
        """Show and hide layers."""
        with self.lock, self.server.atomic():
            self.layers = layers
            for view in self._views:
                view.set_layers(layers)
            self._panel.follow()
            self._show()

    def follow(self, on: bool) -> None:
        """Let cameras follow the bodies, or stand."""
        with self.lock, self.server.atomic():
            self.stage_view.follow(on, self.frame)
            self._panel.follow()

    def arrange(self, side_by_side: bool) -> None:
        """Place clips beside each other, or as they were recorded."""
        with self.lock, self.server.atomic():
            self.side_by_side = side_by_side
            self.actors = arrange(self._recorded, side_by_side=side_by_side)
            for view, actor in zip(self._views, self.actors, strict=True):
                view.replace(actor)
            self._place()
            self.stage_view.follow(self.stage_view.follows, self.frame)
            self._panel.follow()
            self.pick(*self.picked)
            self._show()

    def set_picking(self, on: bool) -> None:
        """Let joints be picked by a click on a body, or let clicks through to handles inside it."""
        with self.lock, self.server.atomic():
            for view in self._views:
                view.set_clickable(on)

    def pick(self, index: int, joint: int) -> None:
        """Pick a joint of a clip, to be marked and described; -1 picks none."""
        with self.lock, self.server.atomic():
            self.picked = (index, joint)
            for k, view in enumerate(self._views):
                view.pick(joint if k == index else -1)
            self._inspector.pick(index, joint)

    def set_frame(self, frame: int) -> None:
        """Show a frame; one outside the clip becomes the first or the last."""
        with self.lock:
            self.clock.seek(frame)
            self._show()

    def on_frame(self, callback: Callable[[int], None]) -> None:
        """Call a function with the frame after each change of frame."""
        self._callbacks.append(callback)

    def show_pose(
        self,
        index: int,
        positions: Float[np.ndarray, "joints 3"],
        rotations: Float[np.ndarray, "joints 4"],
        end_positions: Float[np.ndarray, "ends 3"],
    ) -> None:
        """Draw a clip's body in a pose of the caller's until the frame changes.

        Args:
            index: Which clip.
            positions: Joints on the stage, metres, shape (joints, 3).
            rotations: Joints' orientations on the stage, unit quaternions wxyz, shape (joints, 4).
            end_positions: End sites on the stage, metres, shape (ends, 3).
        """
        with self.lock, self.server.atomic():
            self._views[index].pose(positions, rotations, end_positions)

    def replace_motion(self, index: int, motion: Motion) -> None:
        """Put another motion in the place of a clip's; everything shown follows."""
        with self.lock, self.server.atomic():
            shown, recorded = self.actors[index], self._recorded[index]
            self._recorded[index] = make_actor(motion, title=recorded.title, like=recorded)
            self.actors[index] = make_actor(motion, title=shown.title, like=shown)
            self._views[index].replace(self.actors[index])
            if self.picked[0] == index:
                self.pick(*self.picked)
            self._show()

    def stop(self) -> None:
        """End the player and the server; browsers that look at the page keep its last picture."""
        atexit.unregister(self.stop)
        self._stopped.set()
        self._wake.set()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=5.0)
        self.reach.stop()
        with contextlib.redirect_stdout(io.StringIO()):  # its farewell
            self.server.stop()

    def _place(self) -> None:
        self.stage_view.place(self.actors, np.arange(self.num_frames) * self.clock.frame_time)

    def _show(self) -> None:
        with self.server.atomic():
            for index, view in enumerate(self._views):
                view.show(self.actor_frame(index))
            self.stage_view.show(self.frame)
            self._player.follow()
            self._inspector.follow()
            for callback in self._callbacks:
                callback(self.frame)

    def _run(self) -> None:
        before = time.monotonic()
        while not self._stopped.is_set():
            if not self.playing:
                self._wake.wait()
                self._wake.clear()
                before = time.monotonic()
                continue
            now = time.monotonic()
            with self.lock:
                shown = self.frame, self.playing
                self.clock.advance(now - before)
                if (self.frame, self.playing) != shown and not self._stopped.is_set():
                    self._show()
            before = now
            self._stopped.wait(max(now + STEP - time.monotonic(), 0.001))


def require_host(host: str) -> None:
    """Refuse an address that this machine cannot listen at, for which the server would wait for ever.

    Raises:
        InputError: On an address that is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(address)
    except OSError as error:
        raise InputError(
            f"cannot listen at {host!r} ({error.strerror or error}); 127.0.0.1 is this machine alone, 0.0.0.0 all that reach it"
        ) from None


def make_clock(actors: Sequence[Actor]) -> Clock:
    """Return a clock that runs to the end of the longest clip and counts frames as the first clip does."""
    frame_time = actors[0].motion.frame_time
    longest = max(actor.motion.duration for actor in actors)
    return Clock(num_frames=int(np.ceil(longest / frame_time - 1e-6)) + 1, frame_time=frame_time)


def actor_frame(actor: Actor, seconds: float) -> int:
    """Return the frame of a clip at a time; after its end the last one."""
    return min(int(seconds / actor.motion.frame_time + 1e-6), actor.motion.num_frames - 1)
