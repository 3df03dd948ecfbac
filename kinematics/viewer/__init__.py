"""Motions to look at: pictures and videos without a screen, a page in the browser, files that play anywhere."""

from kinematics.viewer.export import export as export
from kinematics.viewer.figure import draw as draw
from kinematics.viewer.rendering import image as image
from kinematics.viewer.rendering import render as render
from kinematics.viewer.rendering import show as show
