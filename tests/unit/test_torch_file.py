"""State dicts of PyTorch's legacy format, read from files put together by hand."""

import pickle

import numpy as np
import pytest

from damascene import InputError
from damascene.networks.torch_file import read_state_dict

# Opcodes of pickle: MARK, TUPLE, REDUCE, BINPERSID, SETITEMS, BUILD.
MARK, TUPLE, REDUCE, PERSISTENT, ITEMS, STATE = b"(", b"t", b"R", b"Q", b"u", b"b"
WHOLE = {
    "magic": 0x1950A86A20F9469CFC6C,
    "protocol": 1001,
    "system": {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}},
}


def plain(value):
    """Return what pickles a value, without the opcodes that begin and end a pickle."""
    return pickle.dumps(value, protocol=2)[2:-1]


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def called(function, *arguments):
    return function + MARK + b"".join(arguments) + TUPLE + REDUCE


ORDERED = called(name("collections", "OrderedDict"))


def tensor(key, *, count, shape, strides, offset=0, kind="FloatStorage", view=None):
    storage = MARK + b"".join(
        [plain("storage"), name("torch", kind), *map(plain, (key, "cpu", count, view))]
    )
    return called(
        name("torch._utils", "_rebuild_tensor_v2"),
        storage + TUPLE + PERSISTENT,
        *map(plain, (offset, shape, strides, False)),
        ORDERED,
    )


def state_dict(tensors):
    items = b"".join(plain(key) + value for key, value in tensors.items())
    return ORDERED + MARK + items + ITEMS + plain({"_metadata": {"": 1}}) + STATE


def legacy(held, storages, **head):
    """Return a file; PyTorch 2.13 reads those below that are whole to the same tensors."""
    pickles = [pickle.dumps(each, protocol=2) for each in (WHOLE | head).values()]
    pickles += [b"\x80\x02" + held + b".", pickle.dumps(list(storages), protocol=2)]
    raw = [len(each).to_bytes(8, "little") + each.tobytes() for each in storages.values()]
    return b"".join(pickles + raw)


VALUES = np.arange(12, dtype="<f4") / 8
STEPS = np.array([2**40], dtype="<i8")
TENSORS = {
    "rows": tensor("7", count=12, shape=(3, 4), strides=(4, 1)),
    # The transposed lower right corner of the same storage.
    "corner": tensor("7", count=12, offset=6, shape=(2, 2), strides=(1, 4)),
    "repeated": tensor("7", count=12, offset=5, shape=(3,), strides=(0,)),
    "nothing": tensor("7", count=12, shape=(0, 3), strides=(3, 1)),
    "steps": tensor("12", count=1, shape=(), strides=(), kind="LongStorage"),
}
STORAGES = {"12": STEPS, "7": VALUES}


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "weights.pth"
        path.write_bytes(content)
        return read_state_dict(path)

    return read


def test_tensors_are_views_into_shared_storages(read):
    tensors = read(legacy(state_dict(TENSORS), STORAGES))
    rows = VALUES.reshape(3, 4)
    expected = {
        "rows": rows,
        "corner": rows[1:, 2:].T,
        "repeated": np.full(3, VALUES[5]),
        "nothing": np.empty((0, 3), np.float32),
        "steps": np.array(2**40),
    }
    assert list(tensors) == list(expected)
    for key, array in tensors.items():
        np.testing.assert_array_equal(array, expected[key])
        assert array.dtype == expected[key].dtype
    # Each is a copy of its own.
    tensors["rows"][:] = -1
    np.testing.assert_array_equal(tensors["corner"], rows[1:, 2:].T)


def test_plain_dictionaries_are_read(read):
    held = b"}" + MARK + plain("rows") + TENSORS["rows"] + ITEMS
    assert read(legacy(held, {"7": VALUES}))["rows"].shape == (3, 4)


def test_cut_off_files_are_told_wherever_they_end(read):
    whole = legacy(state_dict(TENSORS), STORAGES)
    for end in range(0, len(whole), 7):
        with pytest.raises(InputError, match=r"weights\.pth cannot be read .* fetch it again"):
            read(whole[:end])
    with pytest.raises(InputError, match="it ends within storage 7"):
        read(whole[:-1])


@pytest.mark.parametrize(
    ("called_name", "told"),
    [
        (("builtins", "eval"), r"it asks for builtins\.eval"),
        (("torch.nn.modules.conv", "Conv2d"), r"it asks for torch\.nn\.modules\.conv\.Conv2d"),
        (("torch", "QInt8Storage"), r"it asks for torch\.QInt8Storage"),
    ],
)
def test_files_with_more_than_tensors_run_nothing(read, called_name, told):
    held = called(name(*called_name), plain("1 / 0"))
    with pytest.raises(InputError, match=told):
        read(legacy(held, {}))
    # Nor before the tensors.
    with pytest.raises(InputError, match=told):
        read(b"\x80\x02" + held + b".")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"weights", "cannot be read as a state dict"),
        (b"PK\x03\x04rest", "newer zip format.*_use_new_zipfile_serialization=False"),
        (legacy(state_dict(TENSORS), STORAGES, magic=5), "does not begin as such a file does"),
        (legacy(state_dict(TENSORS), STORAGES, protocol=1000), "does not begin as such a file"),
        (legacy(plain([1]), {}), "holds a list and no dictionary"),
        (legacy(state_dict({"epoch": plain(3)}), {}), "entry 'epoch' is not a named tensor"),
        (legacy(state_dict(TENSORS), {"7": VALUES}), "tensors and its storages are not the same"),
        (legacy(state_dict(TENSORS), STORAGES | {"7": VALUES[:5]}), "5 elements, not 12"),
    ],
)
def test_other_files_are_told(read, content, told):
    with pytest.raises(InputError, match=told):
        read(content)


@pytest.mark.parametrize(
    "view",
    [
        {"shape": (3, 5), "strides": (5, 1)},
        {"shape": (3,), "strides": (-1,), "offset": 2},
        {"shape": (1,), "strides": (1,), "offset": -1},
        {"shape": (1,), "strides": (1,), "offset": 12},
    ],
)
def test_tensors_never_reach_beyond_their_storage(read, view):
    with pytest.raises(InputError, match="tensor rows reaches beyond its storage"):
        read(legacy(state_dict({"rows": tensor("7", count=12, **view)}), {"7": VALUES}))


def test_storages_of_an_unknown_kind_are_told(read):
    view = tensor("7", count=12, shape=(1,), strides=(1,), view=("8", 0, 1))
    with pytest.raises(InputError, match="storage of an unknown kind"):
        read(legacy(state_dict({"rows": view}), {"7": VALUES}))


def test_missing_files_are_told(tmp_path):
    with pytest.raises(InputError, match=r"none\.pth cannot be read: No such file"):
        read_state_dict(tmp_path / "none.pth")
