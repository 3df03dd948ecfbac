"""The joint map: which joint of one skeleton drives which joint of another, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kinematics.skeleton import Skeleton
from retarget.errors import RetargetError

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class JointPair:
    """One source joint that drives one target joint.

    Attributes:
        source: Name of the source joint.
        target: Name of the target joint; several pairs with the same target are blended by their weights.
        role: Body part, such as "left_shin", "spine" or "left_index".
        confidence: How sure the match is, 0 to 1.
        reason: Why they belong together, in a few words.
        weight: Share of this source joint in the target joint's rotation; the weights of a target joint sum to 1.
    """

    source: str
    target: str
    role: str
    confidence: float
    reason: str
    weight: float = 1.0


@dataclass(frozen=True)
class JointMap:
    """All pairs of two skeletons, in the order of the target's joints; one added for a joint at rest comes last.

    Attributes:
        pairs: Source joint to target joint.
        unmapped_source: Source joints that drive nothing.
        unmapped_target: Target joints that stay at rest relative to their parent.
        source_dialect: Naming convention of the source, or "unknown".
        target_dialect: Naming convention of the target, or "unknown".
    """

    pairs: tuple[JointPair, ...]
    unmapped_source: tuple[str, ...] = ()
    unmapped_target: tuple[str, ...] = ()
    source_dialect: str = "unknown"
    target_dialect: str = "unknown"

    def __len__(self) -> int:
        """Return the number of target joints that are driven."""
        return len({pair.target for pair in self.pairs})

    def sources_of(self, target: str) -> tuple[JointPair, ...]:
        """Return the pairs that drive a target joint; empty where it stays at rest."""
        return tuple(pair for pair in self.pairs if pair.target == target)

    def with_pair(self, source: str, target: str, *, role: str = "given") -> JointMap:
        """Return a map in which `source` alone drives `target`, in the place of what drove it before."""
        place = next((place for place, pair in enumerate(self.pairs) if pair.target == target), len(self.pairs))
        idle = self.without(target)
        given = JointPair(source, target, role, 1.0, "given by the caller")
        return replace(
            idle,
            pairs=(*idle.pairs[:place], given, *idle.pairs[place:]),
            unmapped_source=tuple(name for name in idle.unmapped_source if name != source),
            unmapped_target=tuple(name for name in idle.unmapped_target if name != target),
        )

    def without(self, target: str) -> JointMap:
        """Return a map in which nothing drives `target`: it stays at rest relative to its parent."""
        pairs = tuple(pair for pair in self.pairs if pair.target != target)
        if len(pairs) == len(self.pairs):
            return self
        idle = {pair.source for pair in self.pairs} - {pair.source for pair in pairs}
        return replace(
            self,
            pairs=pairs,
            unmapped_source=(*self.unmapped_source, *sorted(idle)),
            unmapped_target=(*self.unmapped_target, target),
        )

    def require_joints(self, source: Skeleton, target: Skeleton) -> None:
        """Check that every joint named here exists.

        Raises:
            UnknownNameError: On a name that a skeleton does not have.
            RetargetError: Without pairs, or on a weight that is not positive.
        """
        if not self.pairs:
            raise RetargetError("the joint map has no pairs, so nothing would move")
        for pair in self.pairs:
            source.joint_index(pair.source)
            target.joint_index(pair.target)
            if not pair.weight > 0:
                raise RetargetError(f"the pair {pair.source} -> {pair.target} has weight {pair.weight}; weights must be positive")

    def __rich__(self) -> Table:
        """Return a table for the terminal."""
        from rich.markup import escape
        from rich.table import Table

        table = Table(title=escape(f"{self.source_dialect} -> {self.target_dialect}"), title_justify="left")
        for column in ("target joint", "driven by", "part", "sure", "because"):
            table.add_column(column, overflow="fold")
        for target in dict.fromkeys(pair.target for pair in self.pairs):
            pairs = self.sources_of(target)
            drivers = [pair.source if len(pairs) == 1 else f"{pair.source} {pair.weight:.0%}" for pair in pairs]
            first = pairs[0]
            cells = (target, ", ".join(drivers), first.role.replace("_", " "), f"{first.confidence:.0%}", first.reason)
            table.add_row(*(escape(cell) for cell in cells))
        table.caption_justify = "left"
        table.caption = "\n".join(
            escape(f"{label}: {_listed(names)}")
            for label, names in (
                ("target joints at rest", self.unmapped_target),
                ("source joints not used", self.unmapped_source),
            )
            if names
        )
        return table


def _listed(names: tuple[str, ...], most: int = 12) -> str:
    more = f", ... ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(names[:most]) + more
