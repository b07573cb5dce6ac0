"""Draw the HTML report of the demo with one fault, as a browser shows its beginning, for the README.

`make picture` runs it where Chromium is installed, and writes docs/images/report.png.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

IMAGE: Final = Path(__file__).parents[1] / "docs" / "images" / "report.png"
FAULT: Final = "hang"
SIZE: Final = "1000,850"  # pixels
WITHIN: Final = 180  # seconds
_ROLLBACK: Final = 20


def main() -> int:
    """Run the demo and draw its page."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.stderr.write("picture: no Chromium is installed, so docs/images/report.png stays as it is\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        probekit = Path(sys.executable).with_name("probekit")
        demo = [str(probekit), "demo", "--fault", FAULT, "--deployed", "now", "--report", f"html={page}", "--quiet"]
        done = subprocess.run(demo, stdout=subprocess.DEVNULL, timeout=WITHIN, check=False)  # noqa: S603  # probekit of this environment; its code is read below
        if done.returncode != _ROLLBACK:
            sys.stderr.write(f"picture: the demo ended with {done.returncode}, not with {_ROLLBACK}: try again\n")
            return 1
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={SIZE}", f"--screenshot={IMAGE}"]
        command = [chromium, *options, page.as_uri()]
        subprocess.run(command, stderr=subprocess.DEVNULL, timeout=WITHIN, check=True)  # noqa: S603  # Chromium of the system
    sys.stdout.write(f"{IMAGE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
