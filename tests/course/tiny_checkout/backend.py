"""Builds the tiny checkout as pip asks for it, with nothing but the standard library."""

import os
import zipfile

METADATA = """\
Metadata-Version: 2.1
Name: flipbook-video
Version: 0.1.0
Provides-Extra: course
Provides-Extra: dev
Requires-Dist: leaf>=1; extra == "course"
"""


def build_editable(folder, config_settings=None, metadata_directory=None):
    if "FULL_DISK" in os.environ:
        raise OSError(28, "No space left on device")
    name, info = "flipbook_video-0.1.0-py3-none-any.whl", "flipbook_video-0.1.0.dist-info"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("flipbook_video.pth", os.getcwd())
        wheel.writestr(info + "/METADATA", METADATA)
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "/RECORD", "")
    return name
