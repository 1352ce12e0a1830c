"""What all tests share: Hypothesis tries the same examples in every run of CI, others by hand.

`HYPOTHESIS_PROFILE=explore make soak` tries new ones; a failing one becomes an `@example`.
"""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
