"""Make the documentation's pictures from the running product: ``python docs/pictures.py [name ...]``.

Builds the demo county in a temporary folder, serves it on loopback, opens each page in headless Chromium and writes
``docs/images/*.png`` with 256 colours. Needs Debian's Chromium and the test extras.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESKTOP, PHONE = (1440, 900), (390, 844)


def _share(page: Page) -> None:
    page.get_by_role("button", name="分享").first.click()


def _nothing(page: Page) -> None:
    pass


def _link(page: Page) -> None:
    page.locator(".plan-open").nth(2).click()
    page.wait_for_selector("#plan-card svg.section")


def _drawn(page: Page) -> None:
    """Draw a link on the map beside the one that is planned, and have it checked."""
    page.wait_for_selector(".plan-open")
    page.locator("#plan-choices > summary").click()
    page.click("#plan-draw-link")
    ends = page.evaluate("""async () => {
        const found = await fetch("/api/features/links/" + Mapapp.plan.data().routes[0].link_id);
        const line = (await found.json()).geometry.coordinates, a = line[0], b = line[line.length - 1];
        return [a, [(a[0] + b[0]) / 2 + 0.0001, (a[1] + b[1]) / 2], b];
    }""")
    for place in ends:
        page.evaluate("([x, y]) => Mapapp.planMap.map().setView([y - 0.0003, x], 18, {animate: false})", place)
        at = page.evaluate(
            "([x, y]) => { const m = Mapapp.planMap.map(), p = m.latLngToContainerPoint([y, x]),"
            " r = m.getContainer().getBoundingClientRect(); return [p.x + r.left, p.y + r.top]; }",
            place,
        )
        page.mouse.click(*at)
        page.wait_for_timeout(400)
    page.click("#plan-draw-done")
    page.wait_for_selector("#plan-accept", timeout=60_000)


# name: (address, size, what to do there)
PICTURES: dict[str, tuple[str, tuple[int, int], Callable[[Page], None]]] = {
    "map": ("/", DESKTOP, _nothing),
    "card": ("/?sel=compounds:YL2021002", DESKTOP, _nothing),
    "share": ("/", DESKTOP, _share),
    "phone": ("/", PHONE, _nothing),
    "english": ("/?lang=en", DESKTOP, _nothing),
    "gaps": ("/gaps", DESKTOP, _nothing),
    "compound": ("/compounds/YL2021002", DESKTOP, _nothing),
    "import": ("/import", DESKTOP, _nothing),
    "problems": ("/problems", DESKTOP, _nothing),
    "plan": ("/plan", DESKTOP, _nothing),
    "plan-link": ("/plan", DESKTOP, _link),
    "plan-drawn": ("/plan", DESKTOP, _drawn),
    "meeting": ("/meeting/DD2022-11", DESKTOP, _nothing),
}


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit("the server ended")
        try:
            urllib.request.urlopen(address + "/healthz", timeout=1)  # noqa: S310  # loopback
        except (urllib.error.URLError, OSError):
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        else:
            return
    raise SystemExit("the server does not answer")


def main(names: list[str]) -> None:
    """Draw the pictures named, or all."""
    IMAGES.mkdir(exist_ok=True)
    mapapp = str(Path(sys.executable).with_name("mapapp"))
    with tempfile.TemporaryDirectory() as folder:
        command = [mapapp, "demo", f"{folder}/demo.gpkg"]
        subprocess.run([*command, "--no-serve"], check=True)  # noqa: S603  # our own command
        subprocess.run([mapapp, "plan", f"{folder}/demo.gpkg"], check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command
        port = "8765"
        process = subprocess.Popen([mapapp, "serve", f"{folder}/demo.gpkg", "--port", port])  # noqa: S603  # our own command
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, process)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
                for name, (path, (width, height), act) in PICTURES.items():
                    if names and name not in names:
                        continue
                    page = browser.new_page(viewport={"width": width, "height": height}, locale="zh-CN")
                    page.goto(address + path)
                    page.wait_for_load_state("networkidle")
                    act(page)
                    page.wait_for_timeout(1200)
                    target = IMAGES / f"{name}.png"
                    page.screenshot(path=target)
                    page.close()
                    Image.open(target).convert("RGB").quantize(256).save(target, optimize=True)
                    print(f"{target.name}: {target.stat().st_size // 1024} kB")  # noqa: T201  # a script
                browser.close()
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
