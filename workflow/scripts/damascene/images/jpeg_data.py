"""Whether the compressed data of a JPEG image are whole, which decoders do not tell.

Where data are missing or damaged, a decoder of JPEG goes on: it fills the rest of the picture with
grey or shifts it, and warns at most. libjxl packs the data of a JPEG anew without loss, and must
understand every bit of them for that.
"""

import re

import imagecodecs

# A marker, as it can follow compressed data: neither a byte FF of these nor a restart of them.
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_SCAN, _COMMENT = 0xDA, 0xFE
_FRAMES = (0xC0, 0xC1, 0xC2)
_APPLICATION = range(0xE0, 0xF0)
_COEFFICIENTS = 64
# Of a file of JPEG XL: a box tells in which order the markers of the JPEG followed each other
# (ISO/IEC 18181-2), with six bits for each, and one of them for bytes that belong to none.
_ORDER = b"jbrd"
_LOWEST, _END, _BETWEEN = 0xC0, 0xD9, 0xFF
# Bytes of the at most 16,384 markers.
_LARGEST_ORDER = 12_289

#: Numbers of the compressions of a TIFF whose strips and tiles are JPEG.
JPEG_IN_TIFF = (6, 7, 33007, 34892)


def require_whole_jpeg(encoded: bytes, *, tables: bytes | None = None) -> None:
    """Check that the data of a JPEG fill its image, and that nothing is left over.

    Parameters
    ----------
    encoded : bytes
        The JPEG. What lies behind its end does not matter.
    tables : bytes, optional
        Tables that the strips and tiles of a TIFF share, themselves written as a JPEG.

    Raises
    ------
    ValueError
        If not; also if it is of a kind that libjxl does not know: 12 bits, lossless, arithmetic
        coding, or other than one or three channels.
    """
    segments = list(_segments(encoded))
    if not _complete(segment for segment in segments if segment[0] in (_SCAN, *_FRAMES)):
        raise ValueError("parts of its JPEG data are missing")
    shared = list(_segments(tables)) if tables else []
    # Remarks, which have faults of their own, need not be understood.
    needed = [
        content
        for marker, content in [*shared, *segments]
        if marker not in _APPLICATION and marker != _COMMENT
    ]
    jpeg = b"".join([b"\xff\xd8", *needed, b"\xff\xd9"])
    try:
        packed = imagecodecs.jpegxl_encode_jpeg(jpeg, usecontainer=True)
    except imagecodecs.JpegxlError:
        raise ValueError("its JPEG data are broken or of a kind that cannot be checked") from None
    if _BETWEEN in _markers(packed):
        raise ValueError("its JPEG data do not fit the size of the image")


def _segments(encoded):
    """Yield the number of each marker up to the end, and the bytes up to the next one."""
    found = _MARKER.search(encoded, 2)
    while found and found[1][0] != _END:
        start = found.end()
        # A segment states its length; compressed data may follow.
        length = int.from_bytes(encoded[start : start + 2], "big")
        following = _MARKER.search(encoded, start + length)
        if following:
            yield found[1][0], encoded[found.start() : following.start()]
        found = following
    if not found:
        raise ValueError("its JPEG data have no end")


def _complete(segments):
    """Say whether the scans hold all bits of all coefficients of all channels.

    A progressive JPEG comes in scans of ever finer bits; without the last it is coarse.
    """
    missing = {}
    for marker, content in segments:
        if marker in _FRAMES:
            channels = content[10::3][: content[9]]
            missing = {channel: [True] * _COEFFICIENTS for channel in channels}
            continue
        count = content[4]
        first, last, bits = content[5 + 2 * count : 8 + 2 * count]
        for channel in content[5 : 5 + 2 * count : 2]:
            for coefficient in range(first, min(last + 1, _COEFFICIENTS)):
                # The lower half of the byte: bits that are still to come.
                missing[channel][coefficient] = bits & 0xF > 0
    return not any(map(any, missing.values()))


def _markers(packed):
    place = 0
    while packed[place + 4 : place + 8] != _ORDER:
        place += int.from_bytes(packed[place : place + 4], "big")
    box = slice(place + 8, place + int.from_bytes(packed[place : place + 4], "big"))
    order = int.from_bytes(packed[box][:_LARGEST_ORDER], "little")
    order >>= 1  # whether the image is grey
    found = []
    while _END not in found:
        found.append(_LOWEST + (order & 0x3F))
        order >>= 6
    return found
