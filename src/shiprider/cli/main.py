"""`shiprider`: the group of commands, loaded one by one so that help is instant.

Always true: an expected error is one sentence on stderr and the exit code of its kind
(`model/errors.py`); a command's module is imported only when that command runs.
"""

import contextlib
import importlib
import io
import os
import sys
from typing import Any, Final

import click

from shiprider import __version__

#: name -> (module, one line, first): `first` are the six a newcomer sees.
COMMANDS: Final[dict[str, tuple[str, str, bool]]] = {
    "demo": ("demo", "Show a simulated day: from bytes to a map with alerts in the browser.", True),
    "detect": ("detect", "Find behaviours in recordings, without a node.", True),
    "decode": ("decode", "Print every message of a recording.", True),
    "init": ("init", "Make a node: the folder where spool, lake and ledger live.", True),
    "ingest": ("ingest", "Take recordings into a node.", True),
    "run": ("run", "Run a node: feeds in, alerts and the watch floor out.", True),
    "alerts": ("alerts", "List a node's alerts, or decide on one.", False),
    "tracks": ("tracks", "List a node's tracks, or one vessel's points.", False),
    "replay": ("replay", "Send a recording again as if it were live.", False),
    "simulate": ("simulate", "Write a scenario with known truth as NMEA bytes.", False),
    "report": ("report", "Reports: whether scores mean what they say.", False),
    "quarantine": ("quarantine", "What could not be decoded, why, and try again.", False),
    "rebuild": ("rebuild", "Rebuild the lake from the spool.", False),
    "retention": ("retention", "Remove what is past its time; holds are kept.", False),
    "policy": ("policy", "Check a policy; see what a new one would newly release.", False),
    "backup": ("backup", "Copy a node, also while it runs; check a copy.", False),
    "restore": ("restore", "Make a node from a copy.", False),
    "keys": ("keys", "The node's signing keys: list, replace, write one off as lost.", False),
    "partner": ("partner", "Partners' nodes: introduce, confirm, revoke; who they are.", False),
    "request": ("request", "Ask partners, answer them, see what waits and how long answers take.", False),
    "chat": ("chat", "What nodes say to each other on a case or operation.", False),
    "audit": ("audit", "Who saw, searched, exported or was refused what.", False),
    "evidence": ("evidence", "Export a finding as a package that verifies offline.", False),
    "export": ("export", "Write findings and alerts as STIX, MISP, GeoJSON or CSV.", False),
    "import": ("importing", "Take in STIX, MISP, or what a TAXII server has.", False),
    "foreign": ("foreign", "What was taken in from other software.", False),
    "bench": ("bench.command", "Measure ours beside the peers, both sides in one run.", False),
    "accounts": ("accounts", "Who may sign in; a new one-time code for whoever lost his way in.", False),
    "doctor": ("doctor", "Check this machine and a node.", False),
    "completion": ("completion", "Print the completion script of a shell.", False),
}

#: Commands that keep what they have done when they are interrupted.
KEEPING: Final = frozenset({"demo", "ingest", "run"})

#: Exit codes, printed by `shiprider --help`.
EXIT_CODES: Final = (
    "0 done · 2 wrong use · 3 unreadable input · 4 feed stopped · 5 storage · 6 node busy · "
    "7 conflict · 8 not found · 9 forbidden · 10 extra not installed · 11 too many tries · 12 partner out of reach · 130 interrupted"
)


class _ReaderGone(Exception):
    """What read standard output (head, less) has ended."""


class _Interrupted(Exception):
    """A command was interrupted; `kept` tells whether what it had done stays."""

    def __init__(self, *, kept: bool) -> None:
        super().__init__()
        self.kept = kept


class LazyGroup(click.Group):
    """A click group that imports a command's module only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"shiprider.cli.{entry[0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, first in (("Start here", True), ("More", False)):
            with formatter.section(title):
                formatter.write_dl([(name, e[1]) for name, e in COMMANDS.items() if e[2] is first])
        with formatter.section("Exit codes"):
            formatter.write_text(EXIT_CODES)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean `{near[0]}`?" if near else "see `shiprider --help`."
            raise click.UsageError(f"There is no command {name!r}: {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and let nothing wait in a buffer: a full disk or a gone reader is told here, not at exit.

        click ends with 1 where a pipe is closed; for us a reader that has seen enough is no error.
        """
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except (click.Abort, KeyboardInterrupt):
            raise _Interrupted(kept=ctx.invoked_subcommand in KEEPING) from None
        except BrokenPipeError:
            raise _ReaderGone from None
        return result


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: shiprider detect recording.nmea --json",
)
@click.version_option(__version__, prog_name="shiprider")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """The software of a coalition watch floor against drug trafficking."""
    if ctx.invoked_subcommand is None:
        click.echo("Shiprider: from what sensors see to what people decide.\n")
        for name, (_, line, first) in COMMANDS.items():
            if first:
                click.echo(f"  shiprider {name:<8} {line}")
        click.echo("\nTry: shiprider demo        (all commands: shiprider --help)")


def main() -> None:
    """Run; turn every expected error into one sentence and its exit code."""
    from shiprider.cli.output import plain
    from shiprider.model.errors import ShipriderError

    # A daemon, or `>&-`, starts us without them.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    try:
        result: Any = cli(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        told = io.StringIO()
        error.show(file=told)
        print(*map(plain, told.getvalue().splitlines()), sep="\n", file=sys.stderr)
        sys.exit(2)
    except (_Interrupted, click.Abort, KeyboardInterrupt) as stopped:
        kept = isinstance(stopped, _Interrupted) and stopped.kept
        what = "what was taken in is kept, start again to go on." if kept else "it was not finished."
        try:
            sys.stdout.flush()
        except OSError:
            # The reader of a pipe is often interrupted with us: what it did not take is no error.
            _to_nowhere()
        print(f"Interrupted: {what}", file=sys.stderr)
        sys.exit(130)
    except ShipriderError as error:
        print(f"shiprider: {plain(error)}", file=sys.stderr)
        sys.exit(error.exit_code)
    except (_ReaderGone, BrokenPipeError):
        # The interpreter must not complain at exit either.
        _to_nowhere()
        sys.exit(0)
    except OSError as error:
        place = plain(f"{error.filename}: ") if error.filename else ""
        _to_nowhere()
        print(
            f"shiprider: {place}{error.strerror or error}; check the place, its rights and its room.",
            file=sys.stderr,
        )
        sys.exit(5)
    sys.exit(result if isinstance(result, int) else 0)


def _nowhere() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedWriter(io.FileIO(os.devnull, "w")), encoding="utf-8")


def _to_nowhere() -> None:
    """What could not be written is not tried again when the interpreter ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
