"""Policies: a node's rules, and the engine that applies them."""

from pathlib import Path
from typing import TYPE_CHECKING

from shiprider.bootstrap.files import read_text
from shiprider.bootstrap.folder import beside
from shiprider.model.errors import UsageError
from shiprider.ports.ledger import Ledger
from shiprider.settings import Settings

if TYPE_CHECKING:
    from shiprider.adapters.policy.cedar import CedarPolicy
    from shiprider.flow.policy_desk import Policies
    from shiprider.model.rules import Home, Rules


def read_rules(path: str) -> "Rules":
    """A policy file. Raises UsageError, InputError."""
    from shiprider.formats.policy_toml import parse_rules

    return parse_rules(read_text(path), path)


def node_rules(settings: Settings, folder: Path) -> "Rules":
    """The rules of a node: its policy file, or without one nothing but its own people. Raises UsageError, InputError."""
    from shiprider.model.agreement import AgreementBook
    from shiprider.model.rules import Rules as Made
    from shiprider.model.rules import home_of

    if not settings.policy:
        own = home_of(settings.node, settings.nation, settings.organisation)
        return Made(settings.node, (own,), AgreementBook())
    rules = read_rules(beside(folder, settings.policy))
    if rules.node != settings.node:
        raise UsageError(
            f"{settings.policy} is the policy of {rules.node!r}, but this node is {settings.node!r}: correct one of them."
        )
    return rules


def own_home(rules: "Rules") -> "Home":
    """Whose node it is, by its rules."""
    from shiprider.model.rules import home_of

    return next(iter(rules.homes_of(rules.node)), home_of(rules.node))


def policy(rules: "Rules") -> "CedarPolicy":
    """The engine for these rules. Raises UsageError where they cannot be meant."""
    from shiprider.adapters.policy.cedar import CedarPolicy

    return CedarPolicy(rules)


def open_policies(folder: Path, settings: Settings, ledger: Ledger) -> "Policies":
    """The rules in force: the newest that people agreed to, before any those of the settings' file."""
    from shiprider.flow.policy_desk import Policies

    text = read_text(beside(folder, settings.policy)) if settings.policy else ""
    return Policies(ledger, settings.node, text, node_rules(settings, folder), policy)
