"""The refutation in README.md, as printed now; `python tests/project/readme.py` puts it there."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SECONDS = re.compile(r"in [\d.]+ s$", re.MULTILINE)


def blocks(kind: str) -> list[str]:
    """The fenced blocks of this kind, in order."""
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def printed() -> str:
    """What ``gradproof losses.py`` prints about the file that the README shows first."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "losses.py").write_text(blocks("python")[0], encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-m", "verify", "losses.py"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    if run.returncode != 1:
        raise RuntimeError(f"exit status {run.returncode}: {run.stderr}{run.stdout}")
    return run.stdout


if __name__ == "__main__":
    new = README.read_text(encoding="utf-8").replace(blocks("text")[0], printed())
    README.write_text(new, encoding="utf-8")
