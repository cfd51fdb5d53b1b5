"""Target / yours / difference, as a small PNG in base64."""

import base64
import io

MOST_BYTES = 60_000


def picture(target, yours) -> str:
    """The comparison of two clips or frame stacks, shrunk until it fits into a notebook.

    Raises:
        ValueError: it does not fit, however small.
    """
    from common.show import compare

    image = compare(target, yours).convert("RGB")
    for _ in range(6):
        buffer = io.BytesIO()
        image.quantize(96).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= MOST_BYTES:
            return base64.b64encode(buffer.getvalue()).decode()
        image = image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)))
    raise ValueError(f"a picture of {buffer.tell()} bytes is too large")
