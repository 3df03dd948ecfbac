"""A GL context without a window, and drawing into it.

pyrender makes the context, the frame buffers, the vertex buffers and the programs. Its own pass over a scene is left out: it
sets some 60 uniforms for each mesh in Python, shades each pixel by a physical model and reads the depth back, 60 ms for a
body in a small picture. Ours draws a body in one call, so `pyrender.Mesh.bounds`, which fails on NumPy 2 (`np.infty`) and
which pyrender's shadows need, is never asked for.
"""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from functools import cache
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from kinematics.errors import GraphicsError
from kinematics.viewer.extra import require

SHADERS = Path(__file__).parent / "shaders"
SHADOW_SIZE = 1024  # pixels of the lamp's view
LOCK = RLock()
PACKAGES = "libegl1 libgl1 libgl1-mesa-dri"


def open_gl() -> Gl:
    """Return the process's GL context; it is made at the first call.

    Raises:
        GraphicsError: Where the machine offers none, or in a process forked from one that has it.
        MissingExtraError: Without pyrender.
    """
    with LOCK:
        opened = _open()
    if opened.process != os.getpid():
        raise GraphicsError(
            "cannot draw with GL here: this process was forked from one that draws, which GL does not survive; "
            "start it by multiprocessing's method 'spawn', or draw stick figures: renderer='figure'"
        )
    return opened


@cache
def _open() -> Gl:
    if "OpenGL" not in sys.modules and sys.platform.startswith("linux"):
        os.environ.setdefault("PYOPENGL_PLATFORM", "egl")  # PyOpenGL reads it once, when it is imported
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyOpenGL and pyglet use what newer Pythons and NumPys frown upon
            return Gl(require("pyrender"), require("OpenGL.GL"))
    except (ImportError, OSError, AttributeError, AssertionError, RuntimeError, IndexError, TypeError, ValueError) as error:
        platform = os.environ.get("PYOPENGL_PLATFORM", "none chosen")
        raise GraphicsError(
            f"cannot draw with GL here (PYOPENGL_PLATFORM: {platform}; {type(error).__name__}: {error}); "
            f"on Debian and Ubuntu `apt install {PACKAGES}` brings what is needed; "
            "stick figures need no GL: --renderer figure, or renderer='figure' in Python"
        ) from None
    except Exception as error:  # PyOpenGL and pyglet have errors of their own for a missing display
        if type(error).__module__.split(".")[0] not in ("OpenGL", "pyglet"):
            raise
        raise GraphicsError(
            f"cannot draw with GL here ({type(error).__name__}); on Debian and Ubuntu `apt install {PACKAGES}` brings what is "
            "needed; stick figures need no GL: --renderer figure, or renderer='figure' in Python"
        ) from None


class Gl:
    """The context, its programs and its frame buffers. Use it in a `with` statement: one thread at a time has it."""

    def __init__(self, pyrender: ModuleType, functions: ModuleType) -> None:
        """Make the context."""
        self._pyrender, self._gl, self.process = pyrender, functions, os.getpid()
        self._host = pyrender.OffscreenRenderer(64, 64)
        self._renderer = self._host._renderer
        self._programs = type(self._renderer._program_cache)(shader_dir=str(SHADERS))
        self._places: dict[tuple[int, str], int] = {}
        self._program, self._box = 0, (0, 0, 0, 0)
        self._shadow: tuple[int, int] | None = None
        self._pixels = np.empty((0, 0, 3), dtype=np.uint8)
        self.most_samples = int(functions.glGetIntegerv(functions.GL_MAX_SAMPLES))
        self._leave()

    def __enter__(self) -> Gl:
        """Take the context."""
        LOCK.acquire()
        try:
            self._host._platform.make_current()
        except BaseException:
            LOCK.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it to other threads."""
        try:
            self._leave()
        finally:
            LOCK.release()

    def _leave(self) -> None:
        display = getattr(self._host._platform, "_egl_display", None)
        if display is not None:  # pyrender leaves an EGL context with the thread that made it
            egl = require("OpenGL.EGL")
            egl.eglMakeCurrent(display, egl.EGL_NO_SURFACE, egl.EGL_NO_SURFACE, egl.EGL_NO_CONTEXT)

    def mesh(
        self,
        vertices: Float[np.ndarray, "vertices 3"],
        faces: Int[np.ndarray, "faces 3"],
        normals: Float[np.ndarray, "vertices 3"] | None = None,
        colours: Float[np.ndarray, "vertices 4"] | None = None,
    ) -> Any:
        """Put a mesh into the memory of the graphics card."""
        primitive = self._pyrender.Primitive(positions=vertices, normals=normals, indices=faces, color_0=colours)
        primitive._add_to_context()
        return primitive

    def begin(self, width: int, height: int, paper: Float[np.ndarray, "3"]) -> None:
        """Start a picture on empty paper: what lies on the floor, which smooths its own edges."""
        gl, renderer = self._gl, self._renderer
        renderer.viewport_width, renderer.viewport_height = width, height
        renderer._configure_forward_pass_viewport(self._pyrender.RenderFlags.OFFSCREEN)
        gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, renderer._main_fb)
        gl.glBlendFunc(gl.GL_SRC_ALPHA, gl.GL_ONE_MINUS_SRC_ALPHA)
        gl.glClearColor(*(float(part) for part in paper), 1.0)
        gl.glClear(gl.GL_COLOR_BUFFER_BIT)
        gl.glDisable(gl.GL_DEPTH_TEST)
        gl.glDisable(gl.GL_CULL_FACE)
        gl.glEnable(gl.GL_BLEND)
        self._box = (0, 0, 0, 0)

    def begin_bodies(self, box: tuple[int, int, int, int], *, above_floor: bool, smooth: bool) -> None:
        """Go on with closed meshes, of which nearer ones cover farther ones.

        Four samples a pixel cost software four times the work for everything that is drawn; so only a part of the picture
        has them, and for the bodies alone.

        Args:
            box: The part of the picture that they cover: left, bottom, right, top, pixels from the lower left.
            above_floor: Leave out what is below the floor.
            smooth: Take four samples a pixel.
        """
        gl, renderer = self._gl, self._renderer
        left, bottom, right, top = box
        if smooth:
            self._box = box
            self._copy(renderer._main_fb, renderer._main_fb_ms)
            gl.glBindFramebuffer(gl.GL_DRAW_FRAMEBUFFER, renderer._main_fb_ms)
        gl.glScissor(left, bottom, right - left, top - bottom)
        gl.glEnable(gl.GL_SCISSOR_TEST)
        gl.glDisable(gl.GL_BLEND)
        gl.glEnable(gl.GL_CULL_FACE)
        gl.glEnable(gl.GL_DEPTH_TEST)
        gl.glClear(gl.GL_DEPTH_BUFFER_BIT)
        (gl.glEnable if above_floor else gl.glDisable)(gl.GL_CLIP_DISTANCE0)

    def _copy(self, source: Any, target: Any) -> None:
        gl = self._gl
        gl.glBindFramebuffer(gl.GL_READ_FRAMEBUFFER, source)
        gl.glBindFramebuffer(gl.GL_DRAW_FRAMEBUFFER, target)
        gl.glBlitFramebuffer(*self._box, *self._box, gl.GL_COLOR_BUFFER_BIT, gl.GL_NEAREST)

    def begin_shadow(self) -> None:
        """Start drawing the depths that the lamp sees."""
        gl = self._gl
        if self._shadow is None:
            self._shadow = self._make_shadow()
        gl.glBindFramebuffer(gl.GL_DRAW_FRAMEBUFFER, self._shadow[0])
        gl.glViewport(0, 0, SHADOW_SIZE, SHADOW_SIZE)
        gl.glEnable(gl.GL_DEPTH_TEST)
        gl.glDisable(gl.GL_CULL_FACE)
        gl.glDepthMask(gl.GL_TRUE)
        gl.glClear(gl.GL_DEPTH_BUFFER_BIT)

    def _make_shadow(self) -> tuple[int, int]:
        gl = self._gl
        texture, frame = gl.glGenTextures(1), gl.glGenFramebuffers(1)
        gl.glBindTexture(gl.GL_TEXTURE_2D, texture)
        gl.glTexImage2D(
            gl.GL_TEXTURE_2D,
            0,
            gl.GL_DEPTH_COMPONENT24,
            SHADOW_SIZE,
            SHADOW_SIZE,
            0,
            gl.GL_DEPTH_COMPONENT,
            gl.GL_FLOAT,
            None,
        )
        for name, value in (
            (gl.GL_TEXTURE_MIN_FILTER, gl.GL_LINEAR),
            (gl.GL_TEXTURE_MAG_FILTER, gl.GL_LINEAR),
            (gl.GL_TEXTURE_WRAP_S, gl.GL_CLAMP_TO_EDGE),
            (gl.GL_TEXTURE_WRAP_T, gl.GL_CLAMP_TO_EDGE),
            (gl.GL_TEXTURE_COMPARE_MODE, gl.GL_COMPARE_REF_TO_TEXTURE),
            (gl.GL_TEXTURE_COMPARE_FUNC, gl.GL_LEQUAL),
        ):
            gl.glTexParameteri(gl.GL_TEXTURE_2D, name, value)
        gl.glBindFramebuffer(gl.GL_DRAW_FRAMEBUFFER, frame)
        gl.glFramebufferTexture2D(gl.GL_DRAW_FRAMEBUFFER, gl.GL_DEPTH_ATTACHMENT, gl.GL_TEXTURE_2D, texture, 0)
        gl.glDrawBuffer(gl.GL_NONE)
        return int(frame), int(texture)

    def use(self, vertex: str, fragment: str, **uniforms: float | int | np.ndarray) -> None:
        """Draw with a program from now on."""
        program = self._programs.get_program(vertex_shader=f"{vertex}.vert", fragment_shader=f"{fragment}.frag")
        if not program._in_context():
            program._add_to_context()
        program._bind()
        self._program = program._program_id
        self.set(**uniforms)

    def set(self, **uniforms: float | int | np.ndarray) -> None:
        """Give the program values: numbers, vectors of 3 or 4, and 4x4 matrices."""
        gl = self._gl
        for name, value in uniforms.items():
            place = self._place(name)
            if isinstance(value, int):
                gl.glUniform1i(place, value)
            elif isinstance(value, float):
                gl.glUniform1f(place, value)
            else:
                array = np.ascontiguousarray(value, dtype=np.float32)
                if array.ndim == 2:
                    gl.glUniformMatrix4fv(place, 1, gl.GL_TRUE, array)
                else:
                    (gl.glUniform3fv if len(array) == 3 else gl.glUniform4fv)(place, 1, array)

    def set_lists(self, **lists: Float[np.ndarray, "_ _"]) -> None:
        """Give the program lists of vectors, shape (many, 3 or 4)."""
        gl = self._gl
        for name, values in lists.items():
            array = np.ascontiguousarray(values, dtype=np.float32)
            (gl.glUniform3fv if array.shape[1] == 3 else gl.glUniform4fv)(self._place(name), len(array), array)

    def _place(self, name: str) -> int:
        key = (self._program, name)
        if key not in self._places:
            self._places[key] = self._gl.glGetUniformLocation(self._program, name)
        return self._places[key]

    def draw(self, mesh: Any, *, first: int = 0, faces: int | None = None) -> None:
        """Draw a mesh, or some of its faces."""
        gl = self._gl
        mesh._bind()
        count = 3 * (len(mesh.indices) - first if faces is None else faces)
        if count > 0:
            gl.glDrawElements(gl.GL_TRIANGLES, count, gl.GL_UNSIGNED_INT, ctypes.c_void_p(12 * first))

    def finish(self) -> UInt8[np.ndarray, "height width 3"]:
        """Return the picture."""
        gl, renderer = self._gl, self._renderer
        width, height = renderer.viewport_width, renderer.viewport_height
        gl.glDisable(gl.GL_SCISSOR_TEST)
        gl.glDisable(gl.GL_CLIP_DISTANCE0)
        if any(self._box):
            self._copy(renderer._main_fb_ms, renderer._main_fb)
        gl.glBindFramebuffer(gl.GL_READ_FRAMEBUFFER, renderer._main_fb)
        gl.glPixelStorei(gl.GL_PACK_ALIGNMENT, 1)
        if self._pixels.shape != (height, width, 3):
            self._pixels = np.empty((height, width, 3), dtype=np.uint8)
        gl.glReadPixels(0, 0, width, height, gl.GL_RGB, gl.GL_UNSIGNED_BYTE, self._pixels)
        return self._pixels[::-1].copy()
