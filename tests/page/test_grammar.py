"""The page's script, read by Node.js."""

import shutil
import subprocess
from pathlib import Path

import pytest

from proxy.demo.play import Play
from proxy.http.page import load

EXTENSIONS = {"in earnest": "", "the demo": Play({}, "").extension().script}


@pytest.mark.parametrize("extension", EXTENSIONS.values(), ids=EXTENSIONS)
def test_the_script_is_one_module_without_mistakes_of_grammar(
    tmp_path: Path, extension: str
) -> None:
    if shutil.which("node") is None:
        pytest.skip("no Node.js here, which would read the page's script")
    module = tmp_path / "page.mjs"
    text = load(extension).text
    module.write_text(text[text.index('<script type="module">') + 22 : text.rindex("</script>")])
    subprocess.run(["node", "--check", str(module)], check=True)
