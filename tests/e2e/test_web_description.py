"""The client's types are made from the API's own description; the client's own tests pass."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web"


def test_the_committed_description_is_the_applications() -> None:
    from shiprider.api.app import make_litestar

    described = make_litestar(None).openapi_schema.to_schema()  # type: ignore[arg-type]
    kept = json.loads((WEB / "openapi.json").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(described)) == kept, (
        "run web/scripts/openapi.py, then `npm run generate` in web/"
    )


def test_the_lock_file_names_no_host() -> None:
    assert "://" not in (WEB / "package-lock.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", ["test", "check", "generated"])
def test_the_clients_own_checks(script: str) -> None:
    if shutil.which("npm") is None or not (WEB / "node_modules").is_dir():
        pytest.skip("node or web/node_modules is not there: run `make web`")
    done = subprocess.run(
        ["npm", "run", "--silent", script], cwd=WEB, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
