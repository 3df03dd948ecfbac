"""What the inverse kinematics solvers are asked: residuals of goals and their Jacobian, on a compact tree of joints.

Joint k turns by a small rotation vector w_k, in the world, about its own position; so a point x below it moves by
w_k x (x - p_k) (Buss, "Introduction to inverse kinematics with Jacobian transpose, pseudoinverse and damped least squares
methods", 2004, section 2). Row n of the tree, after its n joints, is the root's translation. With an anchor the whole body
is shifted so that the anchor stays in place, and every point moves against it: w_k x (x - p_k) - w_k x (anchor - p_k).

A task is a block of three residuals; its Jacobian is kept as one 3x3 block for each joint that moves it (a slot).
"""

from __future__ import annotations

import numpy as np

from kinematics.kernels.jit import fused_jit as jit

POSITION, ORIENTATION, LOOK_AT, POLE, CENTER_OF_MASS = 0, 1, 2, 3, 4

JOINT = np.dtype([
    ("joint", "i8"),  # index in the skeleton
    ("parent", "i8"),  # row of the parent, -1 at the root
    ("mobility", "f8"),  # 1 / stiffness; 0 is locked
    ("free", "i8"),  # whether all directions are: no limit, not a heading alone
    ("limit", "i8"),  # kind of limit, see kernels/limits.py
    ("limit_values", "f8", (16,)),
    ("posture", "f8"),  # weight of staying near a pose
    ("mass", "f8"),  # of the segment that turns with the joint, as a share of the body
    ("mass_center", "f8", (3,)),  # in the joint's frame
])  # fmt: skip
TASK = np.dtype([
    ("kind", "i8"),
    ("row", "i8"),  # of the targets
    ("level", "i8"),  # 0 comes first
    ("first_slot", "i8"),
    ("last_slot", "i8"),
    ("joint", "i8"),  # row in the tree, and a point in its frame
    ("offset", "f8", (3,)),
    ("start_joint", "i8"),  # pole: the point where the limb begins
    ("start_offset", "f8", (3,)),
    ("end_joint", "i8"),  # pole: the point where it ends
    ("end_offset", "f8", (3,)),
    ("axis", "f8", (3,)),  # look_at: in the joint's frame
    ("weight", "f8", (3,)),  # of each residual; lengths of angles are in it
    ("tolerance", "f8"),  # of the unweighted error
    ("plain", "i8"),  # a point with one weight, no anchor, and joints that turn freely: J is -[r]
])  # fmt: skip
# Bits of a slot: what of the task moves with the joint.
MOVES_POINT, MOVES_START, MOVES_END, MOVES_ANCHOR, IS_TRANSLATION = 1, 2, 4, 8, 16


@jit
def turn(q: np.ndarray, k: int, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Rotate a vector by the quaternion in row k."""
    w, a, b, c = q[k, 0], q[k, 1], q[k, 2], q[k, 3]
    tx, ty, tz = 2.0 * (b * z - c * y), 2.0 * (c * x - a * z), 2.0 * (a * y - b * x)
    return x + w * tx + b * tz - c * ty, y + w * ty + c * tx - a * tz, z + w * tz + a * ty - b * tx


@jit
def turn_back(q: np.ndarray, k: int, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Rotate a vector by the inverse of the quaternion in row k."""
    w, a, b, c = q[k, 0], -q[k, 1], -q[k, 2], -q[k, 3]
    tx, ty, tz = 2.0 * (b * z - c * y), 2.0 * (c * x - a * z), 2.0 * (a * y - b * x)
    return x + w * tx + b * tz - c * ty, y + w * ty + c * tx - a * tz, z + w * tz + a * ty - b * tx


@jit
def place(
    tree: np.ndarray,
    bones: np.ndarray,
    anchor: int,
    anchor_offset: np.ndarray,
    anchor_target: np.ndarray,
    root: np.ndarray,
    local: np.ndarray,
    where: np.ndarray,
    turned: np.ndarray,
) -> None:
    """Compute global positions `where` (n + 1, 3) and rotations `turned` (n + 1, 4); row n is the anchor, and no rotation.

    With an anchor, `root` and all positions are shifted so that it lies at `anchor_target`.
    """
    count = len(tree) - 1
    for i in range(3):
        where[0, i] = root[i]
    for i in range(4):
        turned[0, i] = local[0, i]
        turned[count, i] = 1.0 if i == 0 else 0.0
    for k in range(1, count):
        p = tree[k].parent
        j = tree[k].joint
        w, x, y, z = turned[p, 0], turned[p, 1], turned[p, 2], turned[p, 3]
        a, b, c = bones[j, 0], bones[j, 1], bones[j, 2]
        tx, ty, tz = 2.0 * (y * c - z * b), 2.0 * (z * a - x * c), 2.0 * (x * b - y * a)
        where[k, 0] = where[p, 0] + a + w * tx + y * tz - z * ty
        where[k, 1] = where[p, 1] + b + w * ty + z * tx - x * tz
        where[k, 2] = where[p, 2] + c + w * tz + x * ty - y * tx
        lw, lx, ly, lz = local[k, 0], local[k, 1], local[k, 2], local[k, 3]
        turned[k, 0] = w * lw - x * lx - y * ly - z * lz
        turned[k, 1] = w * lx + x * lw + y * lz - z * ly
        turned[k, 2] = w * ly - x * lz + y * lw + z * lx
        turned[k, 3] = w * lz + x * ly - y * lx + z * lw
    if anchor >= 0:
        ax, ay, az = turn(turned, anchor, anchor_offset[0], anchor_offset[1], anchor_offset[2])
        dx = anchor_target[0] - where[anchor, 0] - ax
        dy = anchor_target[1] - where[anchor, 1] - ay
        dz = anchor_target[2] - where[anchor, 2] - az
        for k in range(count):
            where[k, 0] += dx
            where[k, 1] += dy
            where[k, 2] += dz
        root[0], root[1], root[2] = where[0, 0], where[0, 1], where[0, 2]
        where[count, 0], where[count, 1], where[count, 2] = anchor_target[0], anchor_target[1], anchor_target[2]


@jit
def residuals(
    tree: np.ndarray,
    tasks: np.ndarray,
    targets: np.ndarray,
    target_rotations: np.ndarray,
    where: np.ndarray,
    turned: np.ndarray,
    points: np.ndarray,
    residual: np.ndarray,
    errors: np.ndarray,
) -> None:
    """Write points (tasks, 3, 3), weighted residuals (tasks, 3) and unweighted errors (tasks,), in length or radians."""
    for t in range(len(tasks)):
        task = tasks[t]
        j, row = task.joint, task.row
        if task.kind == CENTER_OF_MASS:
            px, py, pz = 0.0, 0.0, 0.0
            for k in range(len(tree) - 1):
                mass = tree[k].mass
                if mass > 0.0:
                    center = tree[k].mass_center
                    ox, oy, oz = turn(turned, k, center[0], center[1], center[2])
                    px += mass * (where[k, 0] + ox)
                    py += mass * (where[k, 1] + oy)
                    pz += mass * (where[k, 2] + oz)
        else:
            o = task.offset
            px, py, pz = where[j, 0], where[j, 1], where[j, 2]
            if o[0] != 0.0 or o[1] != 0.0 or o[2] != 0.0:
                ox, oy, oz = turn(turned, j, o[0], o[1], o[2])
                px, py, pz = px + ox, py + oy, pz + oz
        points[t, 0, 0], points[t, 0, 1], points[t, 0, 2] = px, py, pz
        wx, wy, wz = task.weight[0], task.weight[1], task.weight[2]
        if task.kind == POSITION or task.kind == CENTER_OF_MASS:
            rx, ry, rz = targets[row, 0] - px, targets[row, 1] - py, targets[row, 2] - pz
            # A direction without weight is left free and is no error.
            errors[t] = np.sqrt((rx * rx if wx else 0.0) + (ry * ry if wy else 0.0) + (rz * rz if wz else 0.0))
        elif task.kind == ORIENTATION:
            tw, tx, ty, tz = (
                target_rotations[row, 0],
                target_rotations[row, 1],
                target_rotations[row, 2],
                target_rotations[row, 3],
            )
            gw, gx, gy, gz = turned[j, 0], turned[j, 1], turned[j, 2], turned[j, 3]
            ew = tw * gw + tx * gx + ty * gy + tz * gz
            ex = -tw * gx + tx * gw - ty * gz + tz * gy
            ey = -tw * gy + tx * gz + ty * gw - tz * gx
            ez = -tw * gz - tx * gy + ty * gx + tz * gw
            sign = -1.0 if ew < 0.0 else 1.0
            sine = np.sqrt(ex * ex + ey * ey + ez * ez)
            angle = 2.0 * np.arctan2(sine, sign * ew)
            scale = sign * angle / sine if sine > 1e-12 else 2.0 * sign
            rx, ry, rz = scale * ex, scale * ey, scale * ez
            errors[t] = angle
        elif task.kind == LOOK_AT:
            ux, uy, uz = turn(turned, j, task.axis[0], task.axis[1], task.axis[2])
            dx, dy, dz = targets[row, 0] - px, targets[row, 1] - py, targets[row, 2] - pz
            far = np.sqrt(dx * dx + dy * dy + dz * dz)
            if far < 1e-12:  # the target lies at the eye: every direction will do
                dx, dy, dz, far = ux, uy, uz, 1.0
            rx, ry, rz = dx / far - ux, dy / far - uy, dz / far - uz
            errors[t] = 2.0 * np.arcsin(min(1.0, 0.5 * np.sqrt(rx * rx + ry * ry + rz * rz)))
        else:
            angle = _pole(task, targets[row], where, turned, points[t])
            rx, ry, rz = angle, 0.0, 0.0
            errors[t] = abs(angle)
        residual[t, 0], residual[t, 1], residual[t, 2] = wx * rx, wy * ry, wz * rz


@jit
def _pole(task: np.ndarray, target: np.ndarray, where: np.ndarray, turned: np.ndarray, points: np.ndarray) -> float:
    """Return the angle about the line from start to end that takes the bend to the side of the target; 0 where it is not defined.

    A torsion angle, written as in Blondel and Karplus, "New formulation for derivatives of torsion angles", 1996.
    """
    s, e = task.start_joint, task.end_joint
    sx, sy, sz = turn(turned, s, task.start_offset[0], task.start_offset[1], task.start_offset[2])
    ex, ey, ez = turn(turned, e, task.end_offset[0], task.end_offset[1], task.end_offset[2])
    points[1, 0], points[1, 1], points[1, 2] = where[s, 0] + sx, where[s, 1] + sy, where[s, 2] + sz
    points[2, 0], points[2, 1], points[2, 2] = where[e, 0] + ex, where[e, 1] + ey, where[e, 2] + ez
    ax, ay, az = points[2, 0] - points[1, 0], points[2, 1] - points[1, 1], points[2, 2] - points[1, 2]
    bx, by, bz = points[0, 0] - points[1, 0], points[0, 1] - points[1, 1], points[0, 2] - points[1, 2]
    cx, cy, cz = target[0] - points[1, 0], target[1] - points[1, 1], target[2] - points[1, 2]
    ux, uy, uz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx  # a x b
    vx, vy, vz = ay * cz - az * cy, az * cx - ax * cz, ax * cy - ay * cx  # a x c
    aa = ax * ax + ay * ay + az * az
    if ux * ux + uy * uy + uz * uz <= 1e-8 * aa * aa or vx * vx + vy * vy + vz * vz <= 1e-8 * aa * aa:
        return 0.0  # a straight limb, or a pole on its line
    cosine = ux * vx + uy * vy + uz * vz
    sine = (ax * (uy * vz - uz * vy) + ay * (uz * vx - ux * vz) + az * (ux * vy - uy * vx)) / np.sqrt(aa)
    return float(np.arctan2(sine, cosine))


@jit
def _add_cross(block: np.ndarray, a: np.ndarray, x: float, y: float, z: float) -> None:
    """Add to the block what a point at (x, y, z) from the joint gives: a (w x r) = a (-[r]) w."""
    for i in range(3):
        block[i, 0] += a[i, 2] * y - a[i, 1] * z
        block[i, 1] += a[i, 0] * z - a[i, 2] * x
        block[i, 2] += a[i, 1] * x - a[i, 0] * y


@jit
def jacobians(
    tree: np.ndarray,
    tasks: np.ndarray,
    slots: np.ndarray,
    targets: np.ndarray,
    where: np.ndarray,
    turned: np.ndarray,
    points: np.ndarray,
    residual: np.ndarray,
    subtrees: np.ndarray,
    slopes: np.ndarray,
    blocks: np.ndarray,
) -> None:
    """Write for each slot the 3x3 block of -d residual / d w_k (or d root translation).

    slots (slots, 2): row in the tree, bits. subtrees (n, 4) and slopes (4, 3, 3) are scratch: -d residual / d of the three
    points, and of the joint's own rotation.
    """
    count = len(tree) - 1
    for t in range(len(tasks)):
        task = tasks[t]
        first, last = task.first_slot, task.last_slot
        wx, wy, wz = task.weight[0], task.weight[1], task.weight[2]
        if task.kind == POSITION:
            px, py, pz = points[t, 0, 0], points[t, 0, 1], points[t, 0, 2]
            for s in range(first, last):
                k, bits = slots[s, 0], slots[s, 1]
                if bits & IS_TRANSLATION:
                    blocks[s, 0, 0], blocks[s, 0, 1], blocks[s, 0, 2] = wx, 0.0, 0.0
                    blocks[s, 1, 0], blocks[s, 1, 1], blocks[s, 1, 2] = 0.0, wy, 0.0
                    blocks[s, 2, 0], blocks[s, 2, 1], blocks[s, 2, 2] = 0.0, 0.0, wz
                    continue
                x, y, z = 0.0, 0.0, 0.0
                if bits & MOVES_POINT:
                    x, y, z = px - where[k, 0], py - where[k, 1], pz - where[k, 2]
                if bits & MOVES_ANCHOR:
                    x, y, z = (
                        x - where[count, 0] + where[k, 0],
                        y - where[count, 1] + where[k, 1],
                        z - where[count, 2] + where[k, 2],
                    )
                blocks[s, 0, 0], blocks[s, 0, 1], blocks[s, 0, 2] = 0.0, wx * z, -wx * y
                blocks[s, 1, 0], blocks[s, 1, 1], blocks[s, 1, 2] = -wy * z, 0.0, wy * x
                blocks[s, 2, 0], blocks[s, 2, 1], blocks[s, 2, 2] = wz * y, -wz * x, 0.0
            continue
        if task.kind == CENTER_OF_MASS:
            _center_blocks(tree, slots, first, last, where, turned, subtrees, task.weight, blocks)
            continue
        slopes[:, :, :] = 0.0
        if task.kind == ORIENTATION:
            _orientation_slope(residual[t], task.weight, slopes[3])
        elif task.kind == LOOK_AT:
            _look_slopes(task, targets[task.row], turned, points[t, 0], slopes)
        else:
            _pole_slopes(task, targets[task.row], points[t], slopes)
        for s in range(first, last):
            k, bits = slots[s, 0], slots[s, 1]
            block = blocks[s]
            if bits & IS_TRANSLATION:
                for i in range(3):
                    for j in range(3):
                        block[i, j] = slopes[0, i, j] + slopes[1, i, j] + slopes[2, i, j]
                continue
            for i in range(3):
                for j in range(3):
                    block[i, j] = slopes[3, i, j] if bits & MOVES_POINT else 0.0
            for point in range(3):
                if bits & (1 << point):
                    x, y, z = (
                        points[t, point, 0] - where[k, 0],
                        points[t, point, 1] - where[k, 1],
                        points[t, point, 2] - where[k, 2],
                    )
                    _add_cross(block, slopes[point], x, y, z)
                if bits & MOVES_ANCHOR:
                    x, y, z = where[k, 0] - where[count, 0], where[k, 1] - where[count, 1], where[k, 2] - where[count, 2]
                    _add_cross(block, slopes[point], x, y, z)


@jit
def _orientation_slope(residual: np.ndarray, weight: np.ndarray, slope: np.ndarray) -> None:
    """Write the inverse right Jacobian of SO(3) at the residual: log(E exp(-w)) = r - J(r) w."""
    x = residual[0] / weight[0] if weight[0] else 0.0
    y = residual[1] / weight[1] if weight[1] else 0.0
    z = residual[2] / weight[2] if weight[2] else 0.0
    square = x * x + y * y + z * z
    angle = np.sqrt(square)
    c = 1.0 / 12.0 + square / 720.0
    if angle > 0.05:
        c = 1.0 / square - 0.5 / (angle * np.tan(0.5 * angle))
    slope[0, 0], slope[0, 1], slope[0, 2] = 1.0 - c * (y * y + z * z), c * x * y - 0.5 * z, c * x * z + 0.5 * y
    slope[1, 0], slope[1, 1], slope[1, 2] = c * x * y + 0.5 * z, 1.0 - c * (x * x + z * z), c * y * z - 0.5 * x
    slope[2, 0], slope[2, 1], slope[2, 2] = c * x * z - 0.5 * y, c * y * z + 0.5 * x, 1.0 - c * (x * x + y * y)
    for i in range(3):
        for j in range(3):
            slope[i, j] *= weight[i]


@jit
def _look_slopes(task: np.ndarray, target: np.ndarray, turned: np.ndarray, eye: np.ndarray, slopes: np.ndarray) -> None:
    """Differentiate d - u, with u the axis and d the direction from the eye to the target."""
    ux, uy, uz = turn(turned, task.joint, task.axis[0], task.axis[1], task.axis[2])
    slope = slopes[3]
    slope[0, 1], slope[0, 2] = uz, -uy
    slope[1, 0], slope[1, 2] = -uz, ux
    slope[2, 0], slope[2, 1] = uy, -ux
    far = np.sqrt((target[0] - eye[0]) ** 2 + (target[1] - eye[1]) ** 2 + (target[2] - eye[2]) ** 2)
    for i in range(3):
        for j in range(3):
            if far >= 1e-12:
                across = (1.0 if i == j else 0.0) - (target[i] - eye[i]) * (target[j] - eye[j]) / (far * far)
                slopes[0, i, j] = task.weight[i] * across / far
            slope[i, j] *= task.weight[i]


@jit
def _pole_slopes(task: np.ndarray, target: np.ndarray, points: np.ndarray, slopes: np.ndarray) -> None:
    """Differentiate the torsion angle by its points (Blondel and Karplus 1996, equation 27)."""
    ax, ay, az = points[2, 0] - points[1, 0], points[2, 1] - points[1, 1], points[2, 2] - points[1, 2]
    bx, by, bz = points[0, 0] - points[1, 0], points[0, 1] - points[1, 1], points[0, 2] - points[1, 2]
    cx, cy, cz = target[0] - points[1, 0], target[1] - points[1, 1], target[2] - points[1, 2]
    ux, uy, uz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    vx, vy, vz = ay * cz - az * cy, az * cx - ax * cz, ax * cy - ay * cx
    aa, uu, vv = ax * ax + ay * ay + az * az, ux * ux + uy * uy + uz * uz, vx * vx + vy * vy + vz * vz
    if uu <= 1e-8 * aa * aa or vv <= 1e-8 * aa * aa:
        return
    length = np.sqrt(aa)
    weight = task.weight[0]
    ab, ac = (ax * bx + ay * by + az * bz) / aa, (ax * cx + ay * cy + az * cz) / aa
    bend, side = weight * length / uu, weight * length / vv
    # The bend turns by +length u / |u|^2 for a motion of the middle point, the target's side by length v / |v|^2.
    u = (ux, uy, uz)
    v = (vx, vy, vz)
    for i in range(3):
        middle = bend * u[i]
        slopes[0, 0, i] = middle
        slopes[1, 0, i] = -(1.0 - ab) * middle + (1.0 - ac) * side * v[i]
        slopes[2, 0, i] = -ab * middle + ac * side * v[i]


@jit
def _center_blocks(
    tree: np.ndarray,
    slots: np.ndarray,
    first: int,
    last: int,
    where: np.ndarray,
    turned: np.ndarray,
    subtrees: np.ndarray,
    weight: np.ndarray,
    blocks: np.ndarray,
) -> None:
    """A joint moves the centre of mass of what hangs from it, by that part's share of the mass."""
    count = len(tree) - 1
    for k in range(count):
        center, mass = tree[k].mass_center, tree[k].mass
        x, y, z = turn(turned, k, center[0], center[1], center[2])
        subtrees[k, 0], subtrees[k, 1], subtrees[k, 2] = (
            mass * (where[k, 0] + x),
            mass * (where[k, 1] + y),
            mass * (where[k, 2] + z),
        )
        subtrees[k, 3] = mass
    for k in range(count - 1, 0, -1):
        for i in range(4):
            subtrees[tree[k].parent, i] += subtrees[k, i]
    for s in range(first, last):
        k, bits = slots[s, 0], slots[s, 1]
        block = blocks[s]
        block[:, :] = 0.0
        if bits & IS_TRANSLATION:
            for i in range(3):
                block[i, i] = weight[i]
            continue
        mass = subtrees[k, 3]
        x, y, z = subtrees[k, 0] - mass * where[k, 0], subtrees[k, 1] - mass * where[k, 1], subtrees[k, 2] - mass * where[k, 2]
        if bits & MOVES_ANCHOR:
            x, y, z = x - where[count, 0] + where[k, 0], y - where[count, 1] + where[k, 1], z - where[count, 2] + where[k, 2]
        block[0, 1], block[0, 2] = weight[0] * z, -weight[0] * y
        block[1, 0], block[1, 2] = -weight[1] * z, weight[1] * x
        block[2, 0], block[2, 1] = weight[2] * y, -weight[2] * x
