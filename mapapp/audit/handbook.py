"""This module writes the page of rules (docs/rules.md) from the table of rules, so that the two cannot differ.

python -m mapapp.audit.handbook > docs/rules.md
"""

from __future__ import annotations

import sys

from mapapp.audit.rules import RULES
from mapapp.audit.settings import AuditSettings
from mapapp.audit.verdicts import VERDICTS
from mapapp.core.text import Text

_HEAD = """# Rules of the audit · 检查规则

Written from the table of rules by `python -m mapapp.audit.handbook`; change the table, not this page.

The network is built first: pipe ends and manholes no farther apart than the snap tolerance are one node; a manhole on
the body of a pipe of its own system cuts that pipe; water runs by inverts, else by record, else either way, and never
against a known direction; abandoned, planned and unfinished pipes and second copies carry nothing. A touch in mid-pipe
without a manhole carries nothing, and a crossing is no junction. Plants and boundaries serve, pumps and interceptors
pass on, a discharge to water does not serve.
"""

_SERVED = {True: Text("通", "served"), False: Text("不通", "not served"), None: Text("不明", "not known")}


def page() -> str:
    """Return the page as Markdown."""
    out = [_HEAD, "## Verdicts · 接入结论\n", "| verdict | 结论 | | meaning · 含义 |", "|---|---|---|---|"]
    for verdict in VERDICTS.values():
        served = _SERVED[verdict.served]
        out.append(
            f"| `{verdict.id}` | {verdict.title.zh} · {verdict.title.en} | {served.zh} · {served.en} "
            f"| {verdict.sentence.zh}<br>{verdict.sentence.en} |"
        )
    out += ["\n## Rules · 规则\n"]
    for rule in RULES.values():
        out.append(f"### {rule.id}\n\n**{rule.title.zh} · {rule.title.en}** ({rule.severity})\n")
        for label, text in (("why", rule.why), ("fix", rule.fix), ("trap", rule.trap)):
            word = {"why": "为什么 · Why", "fix": "怎么办 · Fix", "trap": "小心 · Trap"}[label]
            out.append(f"- {word}: {text.zh} {text.en}")
        needs = ", ".join(f"`{need}`" for need in rule.needs).replace("|", " or ")
        out.append(f"- 依据图层 · Needs: {needs}" + (f"; value in {rule.unit}" if rule.unit else ""))
        if rule.source:
            out.append(f"- 来源 · Source: {rule.source}")
        out.append("")
    out += ["## Settings · 参数\n", "| setting | default |", "|---|---|"]
    settings = AuditSettings()
    out += [f"| `{name}` | {getattr(settings, name)} |" for name in AuditSettings.__dataclass_fields__]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
