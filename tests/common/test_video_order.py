"""Streams whose time stamps disagree with the decoder's order: the decoder is right, and frames are counted."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from common.video import VideoReader, frames_to_clip, probe, read_frames, sample_clip, timestamps

XVID = Path(__file__).parent / "video_cases" / "xvid_g12_b2.avi"
START_CODE = b"\x00\x00\x01\xb6"  # of an MPEG-4 picture
PLACEHOLDER = START_CODE + b"\x51\x4f"  # a picture that is "not coded", a little later than the one before


def remuxed(source, target, change):
    """Copies the packets (pts, dts, bytes, is_keyframe) of a file, changed as a list, into another one."""
    with av.open(str(source)) as given, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        packets = [(p.pts, p.dts, bytes(p), p.is_keyframe) for p in given.demux(video=0) if p.size]
        for pts, dts, content, is_keyframe in change(packets):
            packet = av.Packet(content)
            packet.pts, packet.dts, packet.is_keyframe = pts, dts, is_keyframe
            packet.stream, packet.time_base = stream, given.streams.video[0].time_base
            output.mux(packet)
    return target


def packed(packets):
    """DivX's packed bitstream: a B picture goes into the packet of the picture before it, and leaves a placeholder."""
    rows = []
    for number, (_, _, content, is_keyframe) in enumerate(packets):
        is_b_picture = content[content.rindex(START_CODE) + 4] >> 6 == 2
        if is_b_picture:
            rows[-1][2] += content
            content, is_keyframe = PLACEHOLDER, False
        rows.append([number, number, content, is_keyframe])
    head, version, tail = rows[0][2].partition(b"\x00\x00\x01\xb2Lavc")
    assert version
    rows[0][2] = head + b"\x00\x00\x01\xb2DivX503b1393p" + tail[tail.index(b"\x00\x00\x01") :]
    return rows


def by_decoding_time(packets):
    """What a writer leaves behind that knows decoding times only."""
    return [
        (dts - packets[0][1], dts - packets[0][1], content, is_keyframe) for _, dts, content, is_keyframe in packets
    ]


def equals_a_sequential_decode(path, decode_all):
    """All frames at once, each alone in any order, and in pieces."""
    _, reference = decode_all(path)
    with VideoReader(path) as reader:
        assert len(reader) == len(reference)
        for number in np.random.default_rng(0).permutation(len(reference)):
            assert np.array_equal(reader.read([number])[0], reference[number]), f"frame {number} alone"
        assert np.array_equal(reader.read(range(len(reference))), reference)
        assert np.array_equal(np.concatenate(list(reader.stream(chunk=7))), reference)
    return reference


def test_xvid_packed_bitstream(decode_all):
    """All of UCF-101 is such AVI."""
    reference = equals_a_sequential_decode(XVID, decode_all)
    assert len(reference) == 119
    assert np.allclose(timestamps(XVID), np.arange(119) / 25)
    assert np.array_equal(sample_clip(XVID, 6, fps=8), frames_to_clip(reference[[0, 3, 6, 9, 12, 15]]))


@pytest.mark.parametrize("suffix", ["avi", "mp4", "mkv"])
@pytest.mark.parametrize("group", [1, 5, 12, 40])
def test_any_packed_bitstream(tmp_path, encode, decode_all, suffix, group):
    """In a container with time stamps, too, where a packet for each picture is expected."""
    plain = encode(
        tmp_path / "plain.avi", "mpeg4", g=str(group), bf="0" if group == 1 else "1", sc_threshold="1000000000"
    )
    path = remuxed(plain, tmp_path / f"packed.{suffix}", packed)
    reference = equals_a_sequential_decode(path, decode_all)
    assert len(reference) >= 39
    if group > 1:
        with VideoReader(path) as reader:
            assert reader._index.counted


@pytest.mark.parametrize("encoder, suffix", [
    ("libx264", "mp4"), ("libx264", "mkv"), ("libx264", "ts"), ("libx265", "mov"), ("libx265", "mkv"),
    ("mpeg2video", "mp4"), ("mpeg2video", "ts"), ("mpeg4", "mp4"), ("mpeg4", "mkv"),
])  # fmt: skip
def test_stamps_that_are_decoding_times(tmp_path, encode, decode_all, encoder, suffix):
    options = {"x265_params": "log-level=none:bframes=2:pools=none:frame-threads=1"} if encoder == "libx265" else {}
    plain = encode(tmp_path / "plain.mp4", encoder, g="12", bf="2", **options)
    path = remuxed(plain, tmp_path / f"copied.{suffix}", by_decoding_time)
    equals_a_sequential_decode(path, decode_all)
    assert probe(path).fps == pytest.approx(24, rel=0.1)


def test_a_decoder_that_waits_for_nothing_keeps_its_keyframes(tmp_path, encode, decode_all):
    """MPEG-2 without B pictures: rising stamps are right although the decoder waits, and seeking stays possible."""
    path = encode(tmp_path / "a.mp4", "mpeg2video", g="12", bf="0")
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.reorder_depth > 0
    equals_a_sequential_decode(path, decode_all)
    with VideoReader(path) as reader:
        before = reader.num_decoded
        reader.read([38])
        assert reader.num_decoded - before <= 4


def test_a_picture_that_is_not_coded_is_no_frame(tmp_path, encode, decode_all):
    """MPEG-4 drops frames by placeholders; the frames around keep their times."""

    def drop(packets):
        return [(p, d, PLACEHOLDER if n in (5, 6, 20) else c, k) for n, (p, d, c, k) in enumerate(packets)]

    plain = encode(tmp_path / "plain.avi", "mpeg4", g="12", bf="0")
    path = remuxed(plain, tmp_path / "dropped.avi", drop)
    reference = equals_a_sequential_decode(path, decode_all)
    assert len(reference) == 37
    assert np.allclose(timestamps(path) * 24, np.delete(np.arange(40), [5, 6, 20]))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("encoder", ["libx264", "mpeg2video", "mpeg4"])
def test_wrong_marks_of_keyframes(tmp_path, encode, decode_all, encoder, suffix):
    """No packet is marked; MP4 then says that all are keyframes. Decoders that conceal what they lack give no error."""
    if (encoder, suffix) == ("mpeg4", "ts"):
        pytest.skip("FFmpeg does not copy it there")

    def unmark(packets):
        return [(pts, dts, content, False) for pts, dts, content, _ in packets]

    plain = encode(tmp_path / "plain.mp4", encoder, g="12", bf="2")
    equals_a_sequential_decode(remuxed(plain, tmp_path / f"unmarked.{suffix}", unmark), decode_all)


@pytest.mark.parametrize("offsets", [(0, 0), (100, 0), (0, 100)])
def test_transport_streams_put_end_to_end(tmp_path, encode, decode_all, offsets):
    """The second part's clock starts at the same time, earlier, or later: pictures keep the order of the file."""
    parts = [
        encode(tmp_path / f"{number}.ts", stamps=range(offset, offset + 40), time_base=Fraction(1, 24), bf="2")
        for number, offset in enumerate(offsets)
    ]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert len(equals_a_sequential_decode(path, decode_all)) == 80


def test_damage_in_a_counted_stream(tmp_path, decode_all):
    """Frames before the hole are right, those after it are right or refused."""
    reference = decode_all(XVID)[1]
    content = bytearray(XVID.read_bytes())
    content[40_000:40_400] = bytes(400)
    (tmp_path / "hurt.avi").write_bytes(content)
    with VideoReader(tmp_path / "hurt.avi") as reader:
        assert np.array_equal(reader.read(range(40)), reference[:40])
    assert len(read_frames(tmp_path / "hurt.avi", [0])) == 1
