"""An alarm of browsing in words.

Always true: every sign has its sentence in every language (`reasons/browsing.toml`).
"""

from shiprider.detect.reasons import spoken, templates
from shiprider.model.browsing import BrowsingAlarm


def told(alarm: BrowsingAlarm, language: str = "en") -> str:
    """The sentence for the auditor. Raises NotFound where the language is missing."""
    words = {
        "who": alarm.who,
        "count": spoken("count", alarm.count, language),
        "usual": spoken("usual", float(round(alarm.usual)), language),
        "limit": spoken("limit", float(round(alarm.limit)), language),
        "from_us": spoken("from_us", alarm.from_us, language),
        "to_us": spoken("to_us", alarm.to_us, language),
    }
    return templates("browsing", language)[alarm.sign].format(**words)
