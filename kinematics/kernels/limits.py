"""Joint limits: is a local rotation allowed, which allowed one is nearest, and which way do limits bar.

One row of 16 numbers a joint. [0:4] is the reference rotation from which angles count: local = reference * rel. Kinds:
0 none;
1 hinge: rel turns about the unit axis [4:7] by an angle in [7] to [8];
2 swing-twist: rel = swing * twist, twist about the unit axis [4:7] by an angle in [8] to [9] (free from a whole turn on),
  swing across it by at most [7], 0 to pi;
3 Euler box: rel = R(t1) R(t2) R(t3) about the axes numbered [4:7], each angle in [7:10] to [10:13]; here local =
  reference * rel * frame, the frame given by its modified Rodrigues parameters (axis times tan of a quarter angle) in [13:16].
Angles count modulo a turn. Nearest means by the smallest rotation, and has a closed form for 1 and 2.
"""

from __future__ import annotations

import math

import numpy as np

from kinematics.kernels.jit import jit

TURN = 2.0 * math.pi
SLACK = 1e-12  # radians: rounding of what `project` wrote
LOCK = 1e-6  # sine: nearer to a singularity than this an angle of its own has no meaning
ROUNDS = 8  # at most, of the search in an Euler box
NEAR = 1e-6  # radians: a change that ends it; what it leaves is of second order
ROUGH = 1e-4  # radians: angles made of `_rough_atan2` are better than this


@jit
def project(kind: int, values: np.ndarray, q: np.ndarray) -> bool:
    """Move the local quaternion `q` (4,) to the nearest allowed one; inside it stays bit for bit. Tell whether it moved."""
    if kind == 0:
        return False
    w, x, y, z = _relative(kind, values, q)
    if _well_inside(kind, values, w, x, y, z, 0.0) or _excess(kind, values, w, x, y, z) <= SLACK:
        return False
    nw, nx, ny, nz = _nearest(kind, values, w, x, y, z)
    if _angle(w, x, y, z, nw, nx, ny, nz) <= SLACK:
        return False
    if kind == 3:
        fw, fx, fy, fz = _frame(values)
        nw, nx, ny, nz = _multiply(nw, nx, ny, nz, fw, fx, fy, fz)
    w, x, y, z = _multiply(values[0], values[1], values[2], values[3], nw, nx, ny, nz)
    scale = 1.0 / math.sqrt(w * w + x * x + y * y + z * z)
    if q[0] * w + q[1] * x + q[2] * y + q[3] * z < 0.0:
        scale = -scale
    q[0], q[1], q[2], q[3] = w * scale, x * scale, y * scale, z * scale
    return True


@jit
def violation(kind: int, values: np.ndarray, q: np.ndarray) -> float:
    """Return the radians by which the worst limit is exceeded, 0 inside.

    Where an angle has no meaning (gimbal lock, an axis turned round by pi) it is the angle to the nearest allowed rotation.
    """
    if kind == 0:
        return 0.0
    w, x, y, z = _relative(kind, values, q)
    if _well_inside(kind, values, w, x, y, z, 0.0):
        return 0.0
    excess = _excess(kind, values, w, x, y, z)
    if excess <= SLACK:
        return 0.0
    nw, nx, ny, nz = _nearest(kind, values, w, x, y, z)
    angle = _angle(w, x, y, z, nw, nx, ny, nz)
    if angle <= SLACK:
        return 0.0
    return angle if angle < LOCK * excess else excess


@jit
def free_axes(kind: int, values: np.ndarray, q: np.ndarray, parent_rotation: np.ndarray, basis: np.ndarray) -> int:  # noqa: ARG001
    """Return the number of directions a joint can turn in; a hinge's one world axis goes to basis[0]."""
    if kind != 1:
        return 3
    _to_world(values, parent_rotation, values[4], values[5], values[6], basis[0])
    return 1


@jit
def active_normals(
    kind: int, values: np.ndarray, q: np.ndarray, parent_rotation: np.ndarray, margin: float, normals: np.ndarray
) -> int:
    """Write the unit rotation vectors, in the world, along which the joint leaves its limits within `margin` radians.

    normals (rows, 3), at least 3 rows: one for each angle that is near a bound; where it is near both of its bounds, the
    opposite one too, last and as far as there is room. Return how many there are.
    """
    if kind == 0:
        return 0
    w, x, y, z = _relative(kind, values, q)
    if _well_inside(kind, values, w, x, y, z, margin):
        return 0
    if kind == 3:
        count = _box_normals(values, w, x, y, z, margin, normals)
    else:
        count = _axis_normals(kind, values, w, x, y, z, margin, normals)
    for n in range(count):
        _to_world(values, parent_rotation, normals[n, 0], normals[n, 1], normals[n, 2], normals[n])
    return count


@jit
def violations(rotations: np.ndarray, joints: np.ndarray, kinds: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    """Write the violation of each limited joint: local quaternions (frames, all joints, 4) -> `out` (frames, limits)."""
    q = np.empty(4)
    for f in range(len(rotations)):
        for n in range(len(joints)):
            q[:] = rotations[f, joints[n]]
            out[f, n] = violation(kinds[n], values[n], q)


@jit
def clamp(rotations: np.ndarray, joints: np.ndarray, kinds: np.ndarray, values: np.ndarray) -> int:
    """Project each limited joint of local quaternions (frames, all joints, 4) in place; return how many moved."""
    moved = 0
    for f in range(len(rotations)):
        for n in range(len(joints)):
            moved += project(kinds[n], values[n], rotations[f, joints[n]])
    return moved


@jit
def _relative(kind: int, values: np.ndarray, q: np.ndarray) -> tuple[float, float, float, float]:
    """Return reference^-1 * q (a box: * frame^-1)."""
    w, x, y, z = _multiply(values[0], -values[1], -values[2], -values[3], q[0], q[1], q[2], q[3])
    if kind == 3 and (values[13] != 0.0 or values[14] != 0.0 or values[15] != 0.0):
        fw, fx, fy, fz = _frame(values)
        return _multiply(w, x, y, z, fw, -fx, -fy, -fz)
    return w, x, y, z


@jit
def _frame(values: np.ndarray) -> tuple[float, float, float, float]:
    """Return the quaternion of modified Rodrigues parameters."""
    x, y, z = values[13], values[14], values[15]
    square = x * x + y * y + z * z
    scale = 1.0 / (1.0 + square)
    return (1.0 - square) * scale, 2.0 * x * scale, 2.0 * y * scale, 2.0 * z * scale


@jit
def _multiply(
    a: float, b: float, c: float, d: float, w: float, x: float, y: float, z: float
) -> tuple[float, float, float, float]:
    """Return the Hamilton product of two quaternions."""
    return (
        a * w - b * x - c * y - d * z,
        a * x + b * w + c * z - d * y,
        a * y - b * z + c * w + d * x,
        a * z + b * y - c * x + d * w,
    )


@jit
def _rotate(w: float, x: float, y: float, z: float, u: float, v: float, t: float) -> tuple[float, float, float]:
    """Turn a vector by a quaternion."""
    a, b, c = 2.0 * (y * t - z * v), 2.0 * (z * u - x * t), 2.0 * (x * v - y * u)
    return u + w * a + y * c - z * b, v + w * b + z * a - x * c, t + w * c + x * b - y * a


@jit
def _to_world(values: np.ndarray, parent: np.ndarray, x: float, y: float, z: float, out: np.ndarray) -> None:
    """Turn a vector from the reference's frame into the world."""
    u, v, t = _rotate(values[0], values[1], values[2], values[3], x, y, z)
    out[0], out[1], out[2] = _rotate(parent[0], parent[1], parent[2], parent[3], u, v, t)


@jit
def _angle(w: float, x: float, y: float, z: float, nw: float, nx: float, ny: float, nz: float) -> float:
    """Return the angle from a rotation (of about unit length) to a unit one; exact for small angles too."""
    scale = 1.0 / math.sqrt(w * w + x * x + y * y + z * z)
    if w * nw + x * nx + y * ny + z * nz < 0.0:
        scale = -scale
    a, b, c, d = w * scale - nw, x * scale - nx, y * scale - ny, z * scale - nz
    return 4.0 * math.asin(min(0.5 * math.sqrt(a * a + b * b + c * c + d * d), 1.0))


@jit
def _past(angle: float, lower: float, upper: float) -> float:
    """Return how far an angle, at the turn nearest to the middle of its range, lies beyond it: signed, 0 inside."""
    middle, half = 0.5 * (lower + upper), 0.5 * (upper - lower)
    off = angle - middle
    off -= TURN * math.floor(off / TURN + 0.5)
    if off > half:
        return off - half
    if off < -half:
        return off + half
    return 0.0


@jit
def _rough_atan2(y: float, x: float) -> float:
    """Return atan2 to 1.2e-5: Hastings' polynomial (in Abramowitz and Stegun 1964, section 4.4) with the octant put back."""
    u, v = abs(x), abs(y)
    t = min(u, v) / max(u, v) if max(u, v) > 0.0 else 0.0
    tt = t * t
    angle = t * (0.9998660 + tt * (-0.3302995 + tt * (0.1801410 + tt * (-0.0851330 + tt * 0.0208351))))
    angle = 0.5 * math.pi - angle if v > u else angle
    angle = math.pi - angle if x < 0.0 else angle
    return -angle if y < 0.0 else angle


@jit
def _depth(angle: float, lower: float, upper: float) -> float:
    """Return how far inside its range an angle is, at the turn nearest to the middle of the range; negative outside."""
    if upper - lower >= TURN:
        return math.pi
    off = angle - 0.5 * (lower + upper)
    off -= TURN * math.floor(off / TURN + 0.5)
    return 0.5 * (upper - lower) - abs(off)


@jit
def _well_inside(kind: int, values: np.ndarray, w: float, x: float, y: float, z: float, margin: float) -> bool:
    """Tell quickly whether all angles are surely more than `margin` inside; where they are not it proves nothing."""
    margin += ROUGH
    if kind == 3:
        first, middle, last = _angles(values, w, x, y, z, True)
        if _box_depth(values, first, middle, last) > margin:
            return True
        first, middle, last = _twin(values, first, middle, last)
        return _box_depth(values, first, middle, last) > margin
    along = x * values[4] + y * values[5] + z * values[6]
    core = w * w + along * along
    px, py, pz = x - along * values[4], y - along * values[5], z - along * values[6]
    across = px * px + py * py + pz * pz
    if kind == 1:
        if across > 0.01 * SLACK * SLACK * core:
            return False
    elif values[7] < math.pi and 2.0 * _rough_atan2(math.sqrt(across), math.sqrt(core)) > values[7] - margin:
        return False
    lower, upper = values[6 + kind], values[7 + kind]
    return upper - lower >= TURN or _depth(2.0 * _rough_atan2(along, w), lower, upper) > margin


@jit
def _box_depth(values: np.ndarray, first: float, middle: float, last: float) -> float:
    """Return how far inside the box a triplet is, by the angle nearest to a bound; negative outside."""
    depth = min(_depth(first, values[7], values[10]), _depth(middle, values[8], values[11]))
    return min(depth, _depth(last, values[9], values[12]))


@jit
def _excess(kind: int, values: np.ndarray, w: float, x: float, y: float, z: float) -> float:
    """Return the radians by which the worst angle of a relative rotation lies beyond its range."""
    if kind == 3:
        first, middle, last = _angles(values, w, x, y, z, False)
        here = _box_depth(values, first, middle, last)
        first, middle, last = _twin(values, first, middle, last)
        return max(0.0, -max(here, _box_depth(values, first, middle, last)))
    along = x * values[4] + y * values[5] + z * values[6]
    worst = -math.pi
    if kind == 1 or values[7] < math.pi:
        core = w * w + along * along
        px, py, pz = x - along * values[4], y - along * values[5], z - along * values[6]
        swing = 2.0 * math.atan2(math.sqrt(px * px + py * py + pz * pz), math.sqrt(core))
        worst = swing if kind == 1 else swing - values[7]
    return max(0.0, worst, -_depth(2.0 * math.atan2(along, w), values[6 + kind], values[7 + kind]))


@jit
def _nearest(kind: int, values: np.ndarray, w: float, x: float, y: float, z: float) -> tuple[float, float, float, float]:
    """Return the allowed relative rotation that is the smallest turn away; for one that is not allowed."""
    if kind == 3:
        return _nearest_in_box(values, w, x, y, z)
    # rel = (c cos h, a c sin h + p s): twist 2 h about a, swing 2 atan2(s, c), p a unit vector across a. For a new twist
    # 2 (h - e) and swing 2 g the product of both quaternions is c cos g cos e + s sin g, greatest with the same p.
    ax, ay, az = values[4], values[5], values[6]
    along = x * ax + y * ay + z * az
    px, py, pz = x - along * ax, y - along * ay, z - along * az
    across, core = math.sqrt(px * px + py * py + pz * pz), math.sqrt(w * w + along * along)
    half, change = math.atan2(along, w), 0.0
    lower, upper = values[6 + kind], values[7 + kind]
    if upper - lower < TURN:
        change = 0.5 * _past(2.0 * half, lower, upper)
    tilt = math.atan2(across, core * math.cos(change))
    tilt = min(tilt, 0.0 if kind == 1 else 0.5 * values[7])
    share = math.sin(tilt) / across if across > 0.0 else 0.0
    cosine = math.cos(tilt)
    inner = cosine * math.sin(half - change)
    return cosine * math.cos(half - change), px * share + ax * inner, py * share + ay * inner, pz * share + az * inner


@jit
def _pick(axis: float, x: float, y: float, z: float) -> float:
    return x if axis == 0.0 else (y if axis == 1.0 else z)


@jit
def _angles(values: np.ndarray, w: float, x: float, y: float, z: float, rough: bool) -> tuple[float, float, float]:
    """Return one triplet of a relative rotation, in lock any; Bernardes and Viollet (2022), algorithm 3, as in `euler`."""
    i, j, k = values[6], values[5], values[4]
    proper = i == k
    if proper:
        k = 3.0 - i - j
    parity = 1.0 if i + 1.0 == j or i - 2.0 == j else -1.0
    p, r, s = _pick(i, x, y, z), _pick(j, x, y, z), _pick(k, x, y, z) * parity
    if proper:
        a, b, c, d, shift, parity = w, p, r, s, 0.0, 1.0
    else:
        a, b, c, d, shift = w - r, p + s, r + w, s - p, 0.5 * math.pi
    far, near = math.sqrt(c * c + d * d), math.sqrt(a * a + b * b)
    if rough:
        plus, minus, middle = _rough_atan2(b, a), _rough_atan2(d, c), 2.0 * _rough_atan2(far, near)
    else:
        plus, minus, middle = math.atan2(b, a), math.atan2(d, c), 2.0 * math.atan2(far, near)
    return parity * (plus + minus), middle - shift, plus - minus


@jit
def _twin(values: np.ndarray, first: float, middle: float, last: float) -> tuple[float, float, float]:
    """Return the other triplet of the same rotation."""
    return first + math.pi, -middle if values[4] == values[6] else math.pi - middle, last + math.pi


@jit
def _nearest_in_box(values: np.ndarray, w: float, x: float, y: float, z: float) -> tuple[float, float, float, float]:
    """Return the rotation in an Euler box nearest to one outside: of what both triplets lead to, the nearer."""
    first, middle, last = _angles(values, w, x, y, z, False)
    product, f, b, g = _slide(values, first, middle, last)
    first, middle, last = _twin(values, first, middle, last)
    if product < math.cos(0.5 * _past(middle, values[8], values[11])):  # else the twin's middle angle alone is farther
        other, f2, b2, g2 = _slide(values, first, middle, last)
        if other > product:
            f, b, g = f2, b2, g2
    w, x, y, z = 1.0, 0.0, 0.0, 0.0
    for k in range(3):
        half = 0.5 * (f if k == 0 else (b if k == 1 else g))
        axis, c, s = values[4 + k], math.cos(half), math.sin(half)
        if axis == 0.0:
            w, x, y, z = w * c - x * s, x * c + w * s, y * c + z * s, z * c - y * s
        elif axis == 1.0:
            w, x, y, z = w * c - y * s, x * c - z * s, y * c + w * s, z * c + x * s
        else:
            w, x, y, z = w * c - z * s, x * c + y * s, y * c - x * s, z * c + w * s
    return w, x, y, z


@jit
def _slide(values: np.ndarray, first: float, middle: float, last: float) -> tuple[float, float, float, float]:
    """Clamp a triplet and slide it along the faces of the box to the nearest rotation; return their product and the new one.

    Two rotations with middle angles b and b0 (a quarter turn more for three different axes), and outer angles f and g apart,
    have the quaternion product cos b/2 cos b0/2 cos (f + g)/2 + sin b/2 sin b0/2 cos (f - g)/2: the best angle for two others
    has a closed form, and no better point than a box's face is left where f or g must change.
    """
    proper = values[4] == values[6]
    shift = 0.0 if proper else 0.5 * math.pi
    parity = 1.0 if proper or (int(values[6]) + 1) % 3 == int(values[5]) else -1.0
    cosine, sine = math.cos(0.5 * (middle + shift)), math.sin(0.5 * (middle + shift))
    past_first, past_last = _past(first, values[7], values[10]), _past(last, values[9], values[12])
    b = middle - _past(middle, values[8], values[11])
    f, g, best = 0.0, 0.0, 0.0
    for _ in range(ROUNDS):
        plus, minus = cosine * math.cos(0.5 * (b + shift)), sine * math.sin(0.5 * (b + shift))
        best = abs(plus + minus) if past_first == 0.0 and past_last == 0.0 else -1.0
        if past_first != 0.0:
            f, g = -past_first, _partner(-past_first, plus, minus, parity)
            g -= _past(last + g, values[9], values[12])
            best = abs(plus * math.cos(0.5 * (parity * f + g)) + minus * math.cos(0.5 * (parity * f - g)))
        if past_last != 0.0:
            near = _partner(-past_last, plus, minus, parity)
            near -= _past(first + near, values[7], values[10])
            found = abs(plus * math.cos(0.5 * (parity * near - past_last)) + minus * math.cos(0.5 * (parity * near + past_last)))
            if found > best:
                best, f, g = found, near, -past_last
        x, y = cosine * math.cos(0.5 * (parity * f + g)), sine * math.cos(0.5 * (parity * f - g))
        before, b = b, 2.0 * math.atan2(y, x) - shift
        b -= _past(b, values[8], values[11])
        if abs(b - before) < NEAR:
            break
    return best, first + f, b, last + g


@jit
def _partner(change: float, plus: float, minus: float, parity: float) -> float:
    """Return the change of one outer angle that goes best with a change of the other."""
    return 2.0 * math.atan2(parity * (minus - plus) * math.sin(0.5 * change), (plus + minus) * math.cos(0.5 * change))


@jit
def _bar(
    angle: float,
    lower: float,
    upper: float,
    margin: float,
    farther: bool,
    x: float,
    y: float,
    z: float,
    normals: np.ndarray,
    count: int,
) -> int:
    """Add the normal of the nearer (or the farther) bound of an angle that grows by turns about (x, y, z)."""
    if upper - lower >= TURN or count >= len(normals):
        return count
    off = angle - 0.5 * (lower + upper)
    off -= TURN * math.floor(off / TURN + 0.5)
    sign = 1.0 if (off >= 0.0) != farther else -1.0
    if sign * off < 0.5 * (upper - lower) - margin:
        return count
    sign /= math.sqrt(x * x + y * y + z * z)
    normals[count, 0], normals[count, 1], normals[count, 2] = x * sign, y * sign, z * sign
    return count + 1


@jit
def _axis_normals(
    kind: int, values: np.ndarray, w: float, x: float, y: float, z: float, margin: float, normals: np.ndarray
) -> int:
    """Write the normals of a hinge or swing-twist in the reference's frame.

    The swing grows about axis x turned axis; the twist (at a fixed swing) about the half-way vector, axis + turned axis.
    """
    ax, ay, az = values[4], values[5], values[6]
    bx, by, bz = _rotate(w, x, y, z, ax, ay, az)
    nx, ny, nz, count = ax, ay, az, 0
    if kind == 2:
        nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        across = math.sqrt(nx * nx + ny * ny + nz * nz)
        if across > LOCK:
            swing = math.atan2(across, ax * bx + ay * by + az * bz)
            if values[7] < math.pi and swing >= values[7] - margin:
                normals[0, 0], normals[0, 1], normals[0, 2] = nx / across, ny / across, nz / across
                count = 1
        nx, ny, nz = ax + bx, ay + by, az + bz
        if nx * nx + ny * ny + nz * nz < LOCK * LOCK:
            return count
    theta = 2.0 * math.atan2(x * ax + y * ay + z * az, w)
    lower, upper = values[6 + kind], values[7 + kind]
    count = _bar(theta, lower, upper, margin, False, nx, ny, nz, normals, count)
    return _bar(theta, lower, upper, margin, True, nx, ny, nz, normals, count)


@jit
def _box_normals(values: np.ndarray, w: float, x: float, y: float, z: float, margin: float, normals: np.ndarray) -> int:
    """Write the normals of an Euler box in the reference's frame: rows of the inverse of the matrix of axes."""
    t1, t2, t3 = _angles(values, w, x, y, z, False)
    u1, u2, u3 = _twin(values, t1, t2, t3)
    if _box_depth(values, u1, u2, u3) > _box_depth(values, t1, t2, t3):
        t1, t2, t3 = u1, u2, u3
    i, j, k = values[4], values[5], values[6]
    ax, ay, az = _pick(i, 1.0, 0.0, 0.0), _pick(i, 0.0, 1.0, 0.0), _pick(i, 0.0, 0.0, 1.0)
    half = 0.5 * t1
    c, s = math.cos(half), math.sin(half)
    bx, by, bz = _rotate(c, ax * s, ay * s, az * s, _pick(j, 1.0, 0.0, 0.0), _pick(j, 0.0, 1.0, 0.0), _pick(j, 0.0, 0.0, 1.0))
    cx, cy, cz = _rotate(w, x, y, z, _pick(k, 1.0, 0.0, 0.0), _pick(k, 0.0, 1.0, 0.0), _pick(k, 0.0, 0.0, 1.0))
    dot = ax * cx + ay * cy + az * cz  # the second axis is across the two others
    count = 0
    for turn in range(2):
        farther = turn == 1
        count = _bar(t2, values[8], values[11], margin, farther, bx, by, bz, normals, count)
        if 1.0 - dot * dot > LOCK * LOCK:
            px, py, pz = ax - dot * cx, ay - dot * cy, az - dot * cz
            count = _bar(t1, values[7], values[10], margin, farther, px, py, pz, normals, count)
            px, py, pz = cx - dot * ax, cy - dot * ay, cz - dot * az
            count = _bar(t3, values[9], values[12], margin, farther, px, py, pz, normals, count)
        else:  # only the sum or difference of the outer angles counts
            low, high = (values[9], values[12]) if dot > 0.0 else (-values[12], -values[9])
            total = t1 + t3 if dot > 0.0 else t1 - t3
            count = _bar(total, values[7] + low, values[10] + high, margin, farther, ax, ay, az, normals, count)
    return count
