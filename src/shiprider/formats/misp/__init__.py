"""MISP core format (draft-dulaunoy-misp-core-format): events that we write for others, events of others."""
