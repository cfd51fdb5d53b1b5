"""Writing a file leaves the process as it was."""

import os

import numpy as np
import pytest

from common import video


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="this system has no scheduling policies to keep")
def test_av1_does_not_leave_the_caller_with_real_time_priority(tmp_path):
    """SVT-AV1 takes real-time priority for root's processes; a loop in one of them would then starve the machine."""
    before = os.sched_getscheduler(0)
    video.write(tmp_path / "a.webm", np.zeros((3, 64, 64, 3), np.uint8), 24, "av1")
    assert os.sched_getscheduler(0) == before
