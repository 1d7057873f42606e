"""Help and errors of the command line as plain text: no boxes, nothing read into what was typed."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class PlainCommand(TyperCommand):
    """A command whose options are listed in ``--help`` under their groups' headings."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, then ungrouped options, then each group."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            is_argument = parameter.param_type_name == "argument"
            heading = getattr(parameter, "rich_help_panel", None)
            sections.setdefault("Arguments" if is_argument else heading or "Options", []).append(record)
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)
