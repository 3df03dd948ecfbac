"""Published figures of other people's bodies and clips, to stand beside ours; anchors.md says where they come from."""

from imitate.anchors.published import Anchor as Anchor
from imitate.anchors.published import Source as Source
from imitate.anchors.published import load_anchors as load_anchors
