"""Pascal VOC, as labelImg writes it: an XML file for each image.

labelImg draws in coordinates that count from the corner of the upper left pixel, drops their
decimals and writes 1 for 0 (`convert_points_to_bnd_box` in its `labelFile.py`). So the edges are
taken as they are; the definition of VOC itself counts pixels from 1.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from damascene import InputError
from damascene.exchange.marks import Mark, finite, refuse_large, whole_size
from damascene.problems import Problems

SUFFIXES = (".xml",)
#: In `source` of files with the answers of networks. labelImg writes another word when it saves.
NETWORKS = "damascene: answers of networks"
_EDGES = ("xmin", "ymin", "xmax", "ymax")
_AGAIN = "Save it again with labelImg, or remove the file."


class _Node:
    def __init__(self, tag, line):
        self.tag, self.line, self.parts, self.text = tag, line, [], ""

    def first(self, tag):
        return next((part for part in self.parts if part.tag == tag), None)

    def said(self, *tags):
        """Return the text within nested elements, empty if one of them is missing."""
        node = self
        for tag in tags:
            node = node and node.first(tag)
        return node.text.strip() if node else ""


def read_voc(
    path: Path, *, file: str, problems: Problems, difficult: str = "keep"
) -> Iterator[Mark]:
    """Yield the boxes of an annotation file; what networks said, and nobody saved, has no label.

    Parameters
    ----------
    path : pathlib.Path
    file : str
        Its name in tables.
    problems : Problems
        Takes the objects that cannot be read.
    difficult : str, optional
        What objects that are marked as difficult are called; `keep` leaves them their class.

    Raises
    ------
    InputError
        If it is no XML, or no annotation.
    """
    root = _parsed(path)
    if root.tag != "annotation":
        raise InputError(
            f"{path}, line {root.line}: <{root.tag}> is no annotation of labelImg, which begins "
            "with <annotation>. Remove the file, or give its format."
        )
    unsaved = root.said("source", "database") == NETWORKS
    # labelImg names the file after the image that it shows; what stands in it may be a copy.
    names = [path.stem, root.said("filename"), root.said("path")]
    about = {
        "images": tuple(name for name in dict.fromkeys(names) if name),
        "size_px": whole_size(root.said("size", "width"), root.said("size", "height")),
        "file": file,
    }
    for node in root.parts:
        if node.tag != "object":
            continue
        place = f"{path}, line {node.line}"
        edges = _edges(node, place, problems)
        if edges is not None:
            label = "" if unsaved else node.said("name")
            if label and difficult != "keep" and node.said("difficult") not in ("", "0"):
                label = difficult
            yield Mark(**edges, label=label, row=node.line, place=place, **about)


def _edges(node, place, problems):
    said = {name: node.said("bndbox", name) for name in _EDGES}
    numbers = {name: finite(text) for name, text in said.items()}
    wrong = [name for name, number in numbers.items() if number is None]
    if wrong:
        shown = ", ".join(f"{name} '{said[name]}'" for name in wrong)
        problems.add(
            f"{place}: the box of '{node.said('name')}' has no number for {shown}. Draw it again, "
            "or remove the object."
        )
        return None
    # A box without width or height is a click on a pixel, whose corner is written.
    (left, right), (top, bottom) = (
        sorted((numbers[f"{axis}min"], numbers[f"{axis}max"])) for axis in "xy"
    )
    return {
        "left": left,
        "top": top,
        "right": right if right > left else left + 1,
        "bottom": bottom if bottom > top else top + 1,
    }


def _parsed(path):
    """Return the elements of an XML file, with their lines."""
    refuse_large(path)
    parser, stack, roots = expat.ParserCreate(), [], []

    def start(tag, _):
        node = _Node(tag, parser.CurrentLineNumber)
        (stack[-1].parts if stack else roots).append(node)
        stack.append(node)

    def end(_):
        stack.pop()

    def text(content):
        if stack:
            stack[-1].text += content

    def refuse_declaration(*_):
        # Entities that grow without end, or read other files, are declared here.
        raise InputError(
            f"{path}, line {parser.CurrentLineNumber}: a document type (<!DOCTYPE) is not read. "
            "labelImg writes none. Remove it, if you know the file."
        )

    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse_declaration
    try:
        with path.open("rb") as opened:
            parser.ParseFile(opened)
    except expat.ExpatError as error:
        raise InputError(
            f"{path}, line {error.lineno}: no valid XML ({expat.ErrorString(error.code)}). The "
            "file is cut off, was changed, or has another encoding than its first line says. "
            f"{_AGAIN}"
        ) from error
    except InputError:
        raise
    except (ValueError, LookupError) as error:
        raise InputError(f"{path}, line 1: {error}. {_AGAIN}") from error
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}.") from error
    return roots[0]


def voc_text(
    objects: Iterable[tuple[str, tuple[int, int, int, int]]],
    *,
    image: str,
    size_px: tuple[int, int],
    database: str = "Unknown",
) -> str:
    """Return an annotation file that labelImg opens.

    Parameters
    ----------
    objects : iterable of (str, (int, int, int, int))
        Class, and left, top, width and height; 0 is the corner of the upper left pixel.
    image : str
        Name of the file of the image.
    size_px : (int, int)
        Its width and height. Boxes are cut at its border.
    database : str, optional
        `NETWORKS` for what networks said.
    """
    root = ElementTree.Element("annotation")

    def add(parent, tag, text=None):
        node = ElementTree.SubElement(parent, tag)
        node.text = None if text is None else str(text)
        return node

    add(root, "folder", "")
    add(root, "filename", image)
    add(root, "path", image)
    add(add(root, "source"), "database", database)
    size = add(root, "size")
    for tag, value in zip(("width", "height", "depth"), (*size_px, 1), strict=True):
        add(size, tag, value)
    add(root, "segmented", 0)
    for name, (left, top, width, height) in objects:
        node = add(root, "object")
        edges = max(left, 0), max(top, 0), left + width, top + height
        inside = (*edges[:2], min(edges[2], size_px[0]), min(edges[3], size_px[1]))
        for tag, text in (("name", name), ("pose", "Unspecified")):
            add(node, tag, text)
        add(node, "truncated", int(inside != (left, top, left + width, top + height)))
        add(node, "difficult", 0)
        box = add(node, "bndbox")
        for tag, value in zip(_EDGES, inside, strict=True):
            add(box, tag, value)
    ElementTree.indent(root, "\t")
    return ElementTree.tostring(root, encoding="unicode") + "\n"
