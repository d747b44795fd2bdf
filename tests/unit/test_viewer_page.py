"""The page of the viewer holds what users wrote as text, and runs nothing but its own scripts."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from damascene.viewer.page import SCRIPTS, in_script, leaflet, page_sources, write_page

HOSTILE = "</script><script>alert('x')</script> & \u2028"


@pytest.fixture(scope="module")
def page():
    return write_page({"study": HOSTILE, "version": "1", "classes": [], "panoramas": []})


def bodies(page):
    return re.findall(r"<script>(.*?)</script>", page, re.DOTALL)


def test_what_a_user_wrote_is_data_and_text(page):
    held = re.search(r'<script type="application/json" id="study">(.*?)</script>', page)[1]
    assert json.loads(held)["study"] == HOSTILE
    assert "alert('x')" not in "".join(bodies(page))
    assert "&lt;/script&gt;" in page.split("</title>")[0]


def test_nothing_ends_an_element_of_script_early():
    assert not set("<>&\u2028") & set(in_script({"note": HOSTILE}))


def test_the_browser_is_told_the_digests_of_the_scripts_of_the_page_and_no_more(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    told = set(re.findall(r"sha256-([\w+/=]+)", policy.replace("&#43;", "+")))
    made = {base64.b64encode(hashlib.sha256(b.encode()).digest()).decode() for b in bodies(page)}
    assert told == made and len(made) == len(SCRIPTS) + 2
    assert "'unsafe-inline'" not in policy.split("style-src")[0] and "http" not in policy


def test_the_map_library_comes_with_its_licence_and_loads_nothing(page):
    assert "Copyright (c) 2010-2024, Volodymyr Agafonkin" in page
    assert "BSD 2-Clause" in leaflet()["licence"]
    assert not re.findall(r"url\((?!#)[^)]*\)", leaflet()["style"])
    assert "sourceMappingURL" not in page


def test_own_scripts_make_no_markup_of_text():
    for path in page_sources():
        if path.endswith(".js"):
            text = Path(path).read_text()
            assert not re.search(
                r"(inner|outer)HTML|insertAdjacentHTML|document\.write|eval\(", text
            )
