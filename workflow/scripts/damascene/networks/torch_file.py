"""Weights in files of PyTorch, read without PyTorch.

Only what a dictionary of tensors needs is unpickled: a file cannot run code.

References
----------
The legacy format, which `torch.save` wrote before PyTorch 1.6 and still writes with
`_use_new_zipfile_serialization=False`, is that of `torch/serialization.py`: five pickles (magic
number, version of the protocol, system, object, keys of the storages), then for each key the
number of its elements as int64 and the elements, little-endian.
"""

import io
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from damascene import InputError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_ZIP = b"PK\x03\x04"
_STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


class _Storage(NamedTuple):
    key: str
    dtype: str
    count: int


class _Tensor(NamedTuple):
    """A view into a storage: offset and strides in elements."""

    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple


def read_state_dict(path: str | Path) -> dict[str, np.ndarray]:
    """Return the tensors of a state dict in the legacy format of PyTorch.

    Parameters
    ----------
    path : path
        Written by `torch.save(model.state_dict(), path)`, see the references of this module.

    Returns
    -------
    dict of str to numpy.ndarray
        In the order of the file; shapes and dtypes are those of the tensors, each array is a copy
        of its own.

    Raises
    ------
    InputError
        If the file cannot be read, is of another format, cut off, or holds more than tensors.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Name another file.") from error
    if content.startswith(_ZIP):
        raise InputError(
            f"{path} is of PyTorch's newer zip format, which is not read here. Save its state dict "
            "again, with torch.save(..., _use_new_zipfile_serialization=False)."
        )
    try:
        return _state_dict(io.BytesIO(content))
    # A damaged pickle can raise nearly anything.
    except Exception as error:
        raise InputError(
            f"{path} cannot be read as a state dict of PyTorch's legacy format: "
            f"{str(error).rstrip('.') or type(error).__name__}. If it is cut off or damaged, fetch "
            "it again; otherwise save the state dict alone, with "
            "torch.save(model.state_dict(), ..., _use_new_zipfile_serialization=False)."
        ) from error


def _state_dict(stream):
    magic, protocol, _ = (_Unpickler(stream).load() for _ in range(3))
    if magic != _MAGIC or protocol != _PROTOCOL:
        raise ValueError("it does not begin as such a file does")
    tensors = _Unpickler(stream).load()
    if not isinstance(tensors, dict):
        raise ValueError(f"it holds a {type(tensors).__name__} and no dictionary of tensors")
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            raise ValueError(f"its entry {name!r} is not a named tensor")
    keys = _Unpickler(stream).load()
    needed = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    if set(keys) != set(needed):
        raise ValueError("its tensors and its storages are not the same")
    elements = {key: _elements(stream, needed[key]) for key in keys}
    return {
        name: _array(elements[tensor.storage.key], tensor, name=name)
        for name, tensor in tensors.items()
    }


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuilt
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no tensor needs")

    def persistent_load(self, pid):
        kind, dtype, key, _, count, view = pid
        if kind != "storage" or dtype not in _STORAGES.values() or view is not None:
            raise pickle.UnpicklingError(f"it refers to a {kind} of an unknown kind")
        return _Storage(key, dtype, count)


def _rebuilt(storage, offset, shape, strides, *_):
    return _Tensor(storage, offset, shape, strides)


def _elements(stream, storage):
    count = int.from_bytes(stream.read(8), "little", signed=True)
    if count != storage.count:
        raise ValueError(f"storage {storage.key} has {count} elements, not {storage.count}")
    size = count * np.dtype(storage.dtype).itemsize
    content = stream.read(size)
    if len(content) < size:
        raise ValueError(f"it ends within storage {storage.key}")
    return np.frombuffer(content, storage.dtype)


def _array(elements, tensor, *, name):
    if 0 in tensor.shape:
        return np.empty(tensor.shape, elements.dtype)
    steps = zip(tensor.shape, tensor.strides, strict=True)
    last = tensor.offset + sum((size - 1) * stride for size, stride in steps)
    # Outside of these bounds as_strided would read memory of others.
    if min((tensor.offset, *tensor.shape, *tensor.strides)) < 0 or last >= len(elements):
        raise ValueError(f"tensor {name} reaches beyond its storage")
    return np.lib.stride_tricks.as_strided(
        elements[tensor.offset :],
        tensor.shape,
        [stride * elements.itemsize for stride in tensor.strides],
    ).copy()
