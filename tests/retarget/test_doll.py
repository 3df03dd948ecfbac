from __future__ import annotations

import numpy as np

from retarget.doll import Doll


def test_bones_join_the_positions(bodies) -> None:
    """Walking one path to the root gives what placing the whole body gives."""
    person = bodies.person("Mixamo", seed=2)
    doll = Doll(person.skeleton)
    doll.rotations[:] = bodies.random_frames(person.skeleton.num_joints, 5)
    where, ends = doll.positions()
    for start, tip in (("left_thigh", "left_shin"), ("pelvis", "chest"), ("left_hand", "right_hand"), ("head", "pelvis")):
        np.testing.assert_allclose(doll.bone(start, tip), where[doll.joints[tip]] - where[doll.joints[start]], atol=1e-12)
    head = doll.joints["head"]
    site = int(np.flatnonzero(person.skeleton.end_site_parents == head)[0])
    np.testing.assert_allclose(doll.bone("head", ""), ends[site] - where[head], atol=1e-12)
