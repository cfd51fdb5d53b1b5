"""`generate --mine`: a video of a prompt, made by the parts that the learner has written."""

from common.cli.generate import generate as library_generate
from common.course.commands.mine import on_own_parts

generate = on_own_parts(library_generate)
