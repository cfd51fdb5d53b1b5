"""Which stream of a file is the film: not its cover, not a thumbnail, not the alpha channel of another stream."""

from collections import Counter

from av.stream import Discard, Disposition

from common.video.errors import NoFramesError, NoVideoStreamError, UnsupportedVideoError, guarded

# The flags of streams that only accompany another one.
ACCOMPANIES = Disposition.timed_thumbnails | Disposition.still_image | Disposition.dependent
# First brand of a HEIF or AVIF file (ISO/IEC 23008-12): there, several pictures of one size are the tiles of one.
PICTURE_BRANDS = ("heic", "heix", "heim", "heis", "mif1", "avif")


def best_stream(container, path):
    """Chooses the video stream that a person would call the film.

    Cover art marked as such never counts. Of the others, a stream of several frames comes before a single picture,
    colour before an alpha channel, a stream marked default before one that is not, a large picture before a small one,
    and of equals the first.

    Args:
        container: An open `av` container. It may be left anywhere but at its start.
        path: The file that messages name.

    Returns:
        The stream.

    Raises:
        NoFramesError: the file holds no stream at all.
        NoVideoStreamError: only sound, subtitles or a cover.
        UnsupportedVideoError: a picture that is cut into tiles, or a format that this build cannot decode.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        kinds = sorted({s.type for s in container.streams})
        if not kinds:
            raise NoFramesError(f"{path} holds no stream, so no frame at all. Record or export it again.")
        raise NoVideoStreamError(f"{path} has no video stream, only: {', '.join(kinds)}. Name a file with pictures.")
    moving = _moving(container, streams, path) if len(streams) > 1 else set()
    best = max(streams, key=lambda s: (s.index in moving, *_merits(s), -s.index))
    if best.codec_context is None:
        raise UnsupportedVideoError(
            f"{path} is coded in a format that this build of FFmpeg cannot decode. Convert it to H.264 first."
        )
    if not moving and container.metadata.get("major_brand") in PICTURE_BRANDS:
        tiles = sum(_look(s) == _look(best) for s in streams)
        if tiles > 1:
            raise UnsupportedVideoError(
                f"{path} is a picture of {tiles} tiles, and tiles are not put together here. Save it as one picture."
            )
    return best


def _merits(stream) -> tuple:
    """What speaks for a stream, besides its frames; larger is better."""
    is_colour, *size = _look(stream)
    is_default = bool(stream.disposition & Disposition.default)
    return not stream.disposition & ACCOMPANIES, is_colour, is_default, size[0] * size[1]


def _look(stream) -> tuple[bool, int, int]:
    """Whether it has colours, its width, its height."""
    context = stream.codec_context
    if context is None:
        return False, 0, 0
    return not (context.pix_fmt or "").startswith("gray"), context.width, context.height


def _moving(container, streams, path) -> set[int]:
    """Numbers of the streams with more than one frame, by the file's table, else by their packets."""
    moving = {s.index for s in streams if s.frames > 1}
    unknown = [s for s in streams if s.frames == 0]
    for stream in container.streams:
        stream.discard = Discard.default if stream in unknown else Discard.all
    counts = Counter()
    with guarded(path, "read through"):
        for packet in container.demux(unknown) if unknown else ():
            counts[packet.stream.index] += packet.size > 0
            if all(counts[s.index] > 1 for s in unknown):
                break
    return moving | {index for index, count in counts.items() if count > 1}
