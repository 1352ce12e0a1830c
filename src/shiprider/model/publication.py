"""A published finding: the content, and how it hangs together with the findings before it.

Always true: the record's id is minted at the first publication and kept by every revision; a finding
that was split or merged names the other id.
"""

import msgspec

from shiprider.model.finding import Finding


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a finding record. `split_from` and `merged_into` are ids of finding records, or ""."""

    finding: Finding
    split_from: str = ""
    merged_into: str = ""
