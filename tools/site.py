"""A hook of mkdocs: docstrings are written for Sphinx's roles, the site is Markdown."""

import re

ROLE = re.compile(r":(?:mod|func|class|meth|attr|data|ref):(?=<code>)")


def on_page_content(html: str, **_: object) -> str:
    """The page without the names of roles, which Markdown leaves standing."""
    return ROLE.sub("", html)
