"""`animate --mine`: a picture that moves, by the parts that the learner has written."""

from common.cli.animate import animate as library_animate
from common.course.commands.mine import on_own_parts

animate = on_own_parts(library_animate)
