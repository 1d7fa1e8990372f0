"""What a command authenticates with: an API key or a token, from the environment and never from a flag.

Flags are seen by everybody who lists processes, and stay in the history of a shell.
"""

import os

from catalog.errors import InvalidInputError

VARIABLE = "LINEWARD_API_KEY"


def bearer() -> dict[str, str]:
    """The headers to send; none where the variable is not set. InvalidInputError for what no header can hold."""
    found = os.environ.get(VARIABLE, "").strip()
    if not found:
        return {}
    if not found.isascii() or not found.isprintable() or " " in found:
        raise InvalidInputError(f"{VARIABLE} is no key.", "Set it to the line that `lineward keys create` printed.")
    return {"authorization": f"Bearer {found}"}
