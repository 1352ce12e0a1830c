"""What all tests share: Hypothesis tries the same examples in every run of CI, others by hand.

`HYPOTHESIS_PROFILE=explore make soak` tries new ones; a failing one becomes an `@example`.
"""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def people() -> ModuleType:
    """`tests/people.py`: a node with people of every role."""
    spec = importlib.util.spec_from_file_location("people", Path(__file__).with_name("people.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["people"] = module
    spec.loader.exec_module(module)
    return module
