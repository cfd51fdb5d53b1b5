"""The toolkit that graders are written with: calls, what they give back, theorems, stand-ins, calibrated outcomes."""

from common.course.graders import outcomes, stand_ins, theorems, values
from common.course.graders.calls import Answer, Call, attempt
from common.course.graders.comparing import judge
from common.course.graders.kinds import (
    anything,
    array,
    each,
    instance,
    integers,
    mapping,
    number,
    numbers,
    record,
    tensor,
    text,
)

__all__ = ["Answer", "Call", "anything", "array", "attempt", "each", "instance", "integers", "judge", "mapping",
           "number", "numbers", "outcomes", "record", "stand_ins", "tensor", "text", "theorems", "values"]  # fmt: skip
