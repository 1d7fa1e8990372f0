"""Secrets inside text: credentials in URIs and connection strings, and the parameters that sign a URL.

A credential before a host is removed, so that `postgres://u:p@db:5432` names what `postgres://db:5432` names. The value
of a parameter is replaced by a word. A user name alone is no credential, except where tokens are sent that way (HTTP):
`abfss://container@account` and `ssh://git@host` are names.

Every pattern is linear in the text: what it repeats cannot contain where it starts, or is bounded.
"""

import re

HIDDEN = "REDACTED"

# RFC 3986 section 3.2.1, to the last @ of an authority, since passwords hold unescaped ones. A semicolon ends it: it
# begins the properties of a JDBC URL.
_USER_AND_PASSWORD = re.compile(r'//[^/?#;\s"<>`:]*:[^/?#;\s"<>`]*@')
_TOKEN = re.compile(r'//(?:(?<=http://)|(?<=https://)|(?<=ws://)|(?<=wss://))[^/?#;\s"<>`]*@', re.IGNORECASE)
# A password with an unescaped slash, question mark or semicolon looks like a port that is no number.
_RAW_PASSWORD = re.compile(r'//(?:[^/?#;\s"<>`@:\[]*:(?!\$?\{|\d*(?:[/?#;,\s"]|$))[^\s"<>`@]{0,64}@)+')
_ORACLE = re.compile(r'(jdbc:oracle:[a-z0-9]{1,8}:)[^@/:\s"]{1,128}/[^@:\s"]{1,128}@', re.IGNORECASE)

_PARAMETER = re.compile(r"(?:^|(?<=[?&#;\s,({\[\"']))([\w.\-]{1,64})=", re.ASCII)
_BRACED = r"(?<=\{)[^}]{1,512}(?=\})"
_QUOTED = r"(?<=\")[^\"]{1,512}(?=\")|(?<=')[^']{1,512}(?=')"
_VALUES = {  # an opening mark, and the value up to what ends it there
    "?": re.compile(r"()([^&\s\"'<>`]+)"),
    ";": re.compile(rf"(\{{?)({_BRACED}|[^;\s\"'<>`]+)"),
    " ": re.compile(rf"([\"'{{]?)({_BRACED}|{_QUOTED}|[^\s;,&\"'<>`)\]}}]+)"),
}
_VALUE_AFTER = {"?": "?", "&": "?", "#": "?", ";": ";"}

_SECRET = (
    *("password", "passwd", "passphrase", "pwd", "secret", "secretkey", "secretaccesskey", "accountkey"),
    *("sharedaccesskey", "apikey", "privatekey", "accesskey"),
)
_SECRET_IN_QUERY = ("token", "signature", "credential", "credentials", "googleaccessid", "accesskeyid")
_SECRET_ALONE = frozenset({"sig", "pass"})
_HINTS = (b"pass", b"pwd", b"secret", b"token", b"sig", b"credential", b"key", b"accessid")
_SEPARATORS = str.maketrans("", "", "_-.")

_PASSES = 8


def may_hold_secrets(text: bytes) -> bool:
    """A quick test of UTF-8 text: where it says no, there is nothing to hide."""
    if b"@" in text:
        return True
    if b"=" not in text:
        return False
    lowered = text.lower()
    return any(hint in lowered for hint in _HINTS)


def hide_secrets(text: str) -> str:
    """The text without its secrets; doing it again changes nothing.

    What one pass removes can bring together what the next recognises. Text that goes on like that was made to, and is
    hidden whole.
    """
    if "@" not in text and "=" not in text:
        return text
    for _ in range(_PASSES):
        cleaned = _hide_credentials(_hide_parameters(text))
        if cleaned == text:
            return text
        text = cleaned
    return HIDDEN


def _hide_credentials(text: str) -> str:
    if "@" not in text:
        return text
    text = _ORACLE.sub(r"\1@", text)
    for pattern in (_USER_AND_PASSWORD, _TOKEN, _RAW_PASSWORD):
        text = pattern.sub("//", text)
    return text


def _hide_parameters(text: str) -> str:
    pieces, done = [], 0
    for match in _PARAMETER.finditer(text):
        before = text[match.start() - 1] if match.start() else " "
        if match.start() < done or not _is_secret(match[1], before):
            continue
        value = _VALUES[_VALUE_AFTER.get(before, " ")].match(text, match.end())
        if value is not None:
            pieces += [text[done : value.start(2)], HIDDEN]
            done = value.end(2)
    return "".join([*pieces, text[done:]])


def _is_secret(name: str, before: str) -> bool:
    """`token=` in prose or SQL is a word like any other; in a query it is one that opens doors."""
    plain = name.lower().translate(_SEPARATORS)
    if plain.endswith(_SECRET):
        return True
    return before in _VALUE_AFTER and (plain in _SECRET_ALONE or plain.endswith(_SECRET_IN_QUERY))
