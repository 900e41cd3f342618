"""A browser for tests: what a page holds once its script has run, and what went wrong."""

import html
import json
import re
import shutil
import subprocess

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
LISTEN = """<script>
window.wrong = [];
addEventListener("error", (event) => wrong.push(String(event.message)), true);
addEventListener("securitypolicyviolation", (event) => wrong.push("asks for " + event.blockedURI));
</script>"""
TELL = """<script>
addEventListener("load", () => {
  const pictures = [...document.images];
  if (!pictures.every((picture) => picture.complete && picture.naturalWidth)) wrong.push("a picture is damaged");
  const said = (() => { %s })();
  const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
  const asked = loaded.filter((name) => !name.startsWith("data:"));
  const element = document.createElement("pre");
  element.id = "told";
  element.textContent = JSON.stringify({ said, wrong, asked, pictures: pictures.length });
  document.body.append(element);
});
</script>"""


def visit(path, script="return null;"):
    """Open a page and run a script there: the page as it is then, and what was told of it."""
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        pytest.skip(f"needs a browser: {', '.join(NAMES)}")
    text = path.read_text(encoding="utf-8")
    copy = path.with_name("visited.html")
    copy.write_text(
        text.replace("<head>", f"<head>{LISTEN}", 1).replace("</body>", f"{TELL % script}</body>", 1),
        encoding="utf-8",
    )
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={path.parent.resolve() / 'profile'}",
    ]
    options += ["--dump-dom", copy.resolve().as_uri()]
    dom = subprocess.run([browser, *options], capture_output=True, text=True, timeout=120, check=True).stdout
    told = re.search(r'<pre id="told">(.*?)</pre>', dom, re.DOTALL)
    assert told, dom[-2000:]
    return dom, json.loads(html.unescape(told[1]))


def assert_stands_alone(path):
    """See that a page asks for nothing, and is small."""
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 5_000_000
    tags = " ".join(re.findall(r"<[a-z][^>]*>", re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)))
    assert not re.search(r"""\s(?:src|srcset|poster|action|href)\s*=\s*+["']?+(?!data:|#)""", tags)
    assert not re.search(r"<link\b|@import|url\(|<iframe|<object|<embed|fetch\(|XMLHttpRequest", text)
