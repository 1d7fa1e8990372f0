"""Whose key signs checkpoints and whose cosignatures are kept, of `LINEWARD_*` variables."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from catalog.log.checkpoint_key import checkpoint_signer, further_signers
from catalog.log.checkpoint_log import CheckpointLog, Rooted
from catalog.log.note import VerifierKey


class CheckpointSettings(BaseSettings):
    """The key that signs checkpoints, the text before the file, and the witnesses whom the log knows."""

    model_config = SettingsConfigDict(env_prefix="LINEWARD_", extra="ignore", frozen=True)

    checkpoint_key: Annotated[SecretStr | None, Field(description="Private key of checkpoints, PEM text")] = None
    checkpoint_key_file: Annotated[Path | None, Field(description="File of that key")] = None
    checkpoint_further_key_files: Annotated[
        tuple[Path, ...],
        Field(description="Files of keys that sign checkpoints too: the next or the last (JSON list)"),
    ] = ()
    checkpoint_mldsa44: Annotated[
        bool, Field(description="Sign checkpoints with ML-DSA-44 too; its key is made in the data folder")
    ] = False
    witnesses: Annotated[
        tuple[str, ...], Field(description="Keys of witnesses whose cosignatures are kept (JSON list of vkeys)")
    ] = ()


def checkpoint_log(folder: Path, log: Rooted, warn: Callable[[str], None]) -> CheckpointLog:
    """The checkpoints of the log in a data folder, signed with the configured key, else the folder's own."""
    configured = CheckpointSettings()
    given = configured.checkpoint_key
    text = None if given is None else given.get_secret_value()
    signer = checkpoint_signer(folder, log.origin, text, configured.checkpoint_key_file, warn)
    files, mldsa44 = configured.checkpoint_further_key_files, configured.checkpoint_mldsa44
    further = further_signers(folder, log.origin, files, warn, mldsa44=mldsa44)
    return CheckpointLog(log, signer, folder, map(VerifierKey.parse, configured.witnesses), further)
