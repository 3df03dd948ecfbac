"""Pictures of motions: stick figures in a strip, without GL."""

from kinematics.viewer.figure import draw as draw
from kinematics.viewer.figure import image as image
