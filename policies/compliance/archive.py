"""The matrix as CSV: a zip of the rows, the waivers, a cover and the digests of all three.

Lines of a cover inside the CSV would make it something that RFC 4180 does not know: every importer would take the first
of them for the header. So the cover is a file of its own, and one file is carried away all the same.
"""

import io
from hashlib import sha256
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from policies.compliance.cover import Cover
from policies.compliance.table import COLUMNS, WAIVER_COLUMNS, Table, rfc4180

MEDIA_TYPE = "application/zip"
MANIFEST = "MANIFEST.sha256"
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # of time in a zip: the same table gives the same bytes


def archive(cover: Cover, table: Table) -> bytes:
    """`cover.csv`, `verdicts.csv`, `waivers.csv`, and `MANIFEST.sha256` that `sha256sum -c` reads."""
    files = {
        "cover.csv": rfc4180(("name", "value"), cover.lines(table)),
        "verdicts.csv": rfc4180(COLUMNS, table.lines),
        "waivers.csv": rfc4180(WAIVER_COLUMNS, table.waivers),
    }
    manifest = "".join(f"{sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    written = io.BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED) as packed:
        for name, content in {**files, MANIFEST: manifest.encode()}.items():
            packed.writestr(ZipInfo(name, _BEGINNING), content, ZIP_DEFLATED)
    return written.getvalue()
