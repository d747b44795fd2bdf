"""Networks written as a pattern, such as `INPUT -> [[CONV -> RELU]*2 -> POOL]*3 -> FC -> FC`.

The notation is that of lecture notes: arrows join layers, brackets group them, `*N` repeats a
group. Layers, with their defaults:

- `CONV`, or `CONV5-32` for kernels of 5 pixels and 32 filters: 3 pixels; 16 filters, doubled after
  each pooling up to 256. The map keeps its size.
- `POOL`, or `POOL3`: largest value of 2 x 2 pixels. `POOL?` pools only while the map is at least 8
  pixels wide afterwards.
- `FC`, or `FC-64`: 128 units. The last layer must be `FC`; it gives the classes.
- `RELU`, `ELU`, `TANH`, `NORM` (batch normalisation), `DROPOUT` (half).
"""

import re
from dataclasses import dataclass, replace

from damascene import InputError

_PLAIN = ("RELU", "ELU", "TANH", "NORM", "DROPOUT")
_LAYER = re.compile(
    rf"(?:CONV(\d{{1,4}})?(?:-(\d{{1,4}}))?|POOL(\d{{1,4}})?(\?)?|FC(?:-(\d{{1,4}}))?|{'|'.join(_PLAIN)})"
)
_TOKEN = re.compile(r"\s*(->|\[|\]|\*\s*\d{1,4}|[A-Za-z]\w*(?:-\w+)?\??)")
_POOL_PX, _KERNEL_PX = 2, 3
_FIRST_FILTERS, _MOST_FILTERS, _UNITS = 16, 256, 128
# `POOL?` leaves maps that would become smaller as they are.
_SMALLEST_POOLED_PX = 8
# A slip such as *3000 is told before any memory is asked for.
_MOST_LAYERS = 500
_MOST_BRACKETS = 20


@dataclass(frozen=True)
class Step:
    """One layer of a pattern: its kind, and numbers where they were given."""

    kind: str
    kernel: int | None = None
    size: int | None = None
    optional: bool = False


def is_pattern(text: str) -> bool:
    """Return whether the name of a network is meant as a pattern."""
    return text.strip().startswith("INPUT")


def parse_pattern(text: str) -> list[Step]:
    """Return the layers of a pattern after INPUT, with all groups repeated.

    Raises
    ------
    InputError
        Naming the place in the pattern and what may stand there.
    """
    tokens = _tokens(text)
    if sum(token == "[" for _, token in tokens) > _MOST_BRACKETS:
        _refuse(text, None, f"more than {_MOST_BRACKETS} brackets")
    steps, end = _sequence(tokens, 0, text)
    if end < len(tokens):
        _refuse(text, tokens[end], "there is no '[' for this ']'")
    if not steps or steps[0].kind != "INPUT":
        _refuse(text, tokens[0] if tokens else None, "a pattern begins with INPUT")
    steps = steps[1:]
    kinds = [step.kind for step in steps]
    if "INPUT" in kinds:
        _refuse(text, None, "INPUT comes once, at the beginning")
    if not steps or kinds[-1] != "FC":
        _refuse(text, None, "the last layer must be FC; it gives the classes")
    first_fc = kinds.index("FC")
    late = [kind for kind in kinds[first_fc:] if kind in ("CONV", "POOL")]
    if late:
        _refuse(text, None, f"{late[0]} cannot follow FC, which leaves no picture")
    if len(steps) > _MOST_LAYERS:
        _refuse(text, None, f"{len(steps)} layers are more than {_MOST_LAYERS}")
    return steps


def layers_for(text: str, *, input_px: int) -> list[Step]:
    """Return the layers of a pattern for pictures of a size, with the numbers that it left out.

    A `POOL?` that would leave less than 8 pixels is left out. The last layer has no size, as it
    gives the classes.

    Raises
    ------
    InputError
        If the pattern cannot be read, or pools more often than the pictures are wide.
    """
    layers, edge_px, filters = [], input_px, _FIRST_FILTERS
    for step in parse_pattern(text):
        if step.kind == "POOL":
            pool = step.kernel or _POOL_PX
            if step.optional and edge_px // pool < _SMALLEST_POOLED_PX:
                continue
            if edge_px < pool:
                raise InputError(
                    f"The network '{text}' pools clips of {input_px} pixels to less than one. "
                    "Leave out a POOL, or write POOL?."
                )
            edge_px //= pool
            filters = min(2 * filters, _MOST_FILTERS)
            step = replace(step, kernel=pool)
        elif step.kind == "CONV":
            step = replace(step, kernel=step.kernel or _KERNEL_PX, size=step.size or filters)
        elif step.kind == "FC":
            step = replace(step, size=step.size or _UNITS)
        layers.append(step)
    return [*layers[:-1], replace(layers[-1], size=None)]


def weight_count(text: str, *, input_px: int, class_count: int) -> int:
    """Return how many weights the network of a pattern has for grey pictures of a size.

    Raises
    ------
    InputError
        If the pattern cannot be read, or pools more often than the pictures are wide.
    """
    weights, edge_px, channels, flat = 0, input_px, 1, False
    for step in layers_for(text, input_px=input_px):
        if step.kind == "CONV":
            weights += (step.kernel**2 * channels + 1) * step.size
            channels = step.size
        elif step.kind == "POOL":
            edge_px //= step.kernel
        elif step.kind == "FC":
            inputs = channels if flat else channels * edge_px**2
            channels, flat = step.size or class_count, True
            weights += (inputs + 1) * channels
        elif step.kind == "NORM":
            # Scale, shift, mean and variance.
            weights += 4 * channels
    return weights


def _tokens(text):
    tokens, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if not match:
            _refuse(
                text,
                (position, text[position:].split()[0]),
                "this is not understood; *N takes a whole number",
            )
        tokens.append((match.start(1), match[1]))
        position = match.end()
    return tokens


def _sequence(tokens, position, text):
    """Read items joined by arrows, until the end or a closing bracket."""
    steps = []
    while True:
        if position >= len(tokens):
            _refuse(text, None, "a layer is missing at the end")
        part, position = _item(tokens, position, text)
        steps += part
        if len(steps) > _MOST_LAYERS * 10:
            _refuse(text, None, f"more than {_MOST_LAYERS} layers")
        if position >= len(tokens) or tokens[position][1] == "]":
            return steps, position
        if tokens[position][1] != "->":
            _refuse(text, tokens[position], "'->' must stand between layers")
        position += 1


def _item(tokens, position, text):
    token = tokens[position][1]
    if token == "[":
        steps, end = _sequence(tokens, position + 1, text)
        if end >= len(tokens):
            _refuse(text, tokens[position], "there is no ']' for this '['")
        times, end = _times(tokens, end + 1, text)
        return steps * times, end
    step = _layer(tokens[position], text)
    times, end = _times(tokens, position + 1, text)
    return [step] * times, end


def _times(tokens, position, text):
    if position < len(tokens) and tokens[position][1].startswith("*"):
        times = int(tokens[position][1][1:])
        if not 1 <= times <= _MOST_LAYERS:
            _refuse(text, tokens[position], f"repeat 1 to {_MOST_LAYERS} times")
        return times, position + 1
    return 1, position


def _layer(token, text):
    name = token[1]
    if name == "INPUT":
        return Step("INPUT")
    match = _LAYER.fullmatch(name)
    if not match:
        known = ", ".join(("CONV", "POOL", "FC", *_PLAIN))
        _refuse(text, token, f"layers are {known}, as in CONV5-32, POOL2 or FC-64")
    numbers = [None if each is None else int(each) for each in match.group(1, 2, 3, 5)]
    if 0 in numbers:
        _refuse(text, token, "numbers must be 1 or more")
    kernel, filters, pool, units = numbers
    kind = re.match("[A-Z]+", name)[0]
    return Step(kind, kernel=kernel or pool, size=filters or units, optional=match[4] is not None)


def _refuse(text, token, reason):
    place = f", at '{token[1]}' (character {token[0] + 1})" if token else ""
    raise InputError(f"The network '{text}' cannot be read{place}: {reason}.")
