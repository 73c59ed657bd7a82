"""The ledger's git repository: pointers to data, and a history that people can read."""

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from visavox.errors import LedgerError

MAIN = "refs/heads/main"
"""What the newest version is on, whatever somebody who looks around has checked out."""

_ABSENT = b"missing"
_AUTHOR = {"NAME": "visavox ledger", "EMAIL": "ledger@visavox.invalid"}


class Git:
    """One repository. Whoever writes has the ledger's lock, and gives it as `held`.

    It is handed on to git, which may live a moment longer than a process that is killed.
    """

    def __init__(self, root: Path, *, held: int | None = None) -> None:
        self.root, self._held = root, () if held is None else (held,)

    @property
    def exists(self) -> bool:
        return (self.root / ".git" / "HEAD").is_file()

    def init(self) -> None:
        self._do("init", "-q", "-b", "main")

    def head(self) -> str | None:
        """The newest commit; None where there is none."""
        return self.resolve(MAIN)

    @property
    def strayed(self) -> bool:
        """Whether somebody has checked out something else."""
        found = (self.root / ".git" / "HEAD").read_text(encoding="utf-8").strip()
        return found != f"ref: {MAIN}"

    def resolve(self, name: str) -> str | None:
        """The commit that a tag, a branch or the beginning of a hash stands for."""
        if name.startswith("-"):
            return None
        with contextlib.suppress(LedgerError):
            return self._do("rev-parse", "-q", "--verify", f"{name}^{{commit}}").strip()
        return None

    def message(self, commit: str) -> str:
        return self._do("log", "-1", "--format=%B", commit)

    def tags(self, beginning: str, *, on: str | None = None) -> list[str]:
        """The tags of that beginning, or that pattern; of all commits or of one."""
        where = ("--points-at", on) if on else ()
        pattern = f"{beginning}*" if beginning.endswith("/") else beginning
        return self._do("tag", *where, "--list", pattern).split()

    def history(self, path: str) -> list[str]:
        """The commits that changed a file, the newest first."""
        return self._do("log", "--format=%H", MAIN, "--", path).split()

    def read(self, commit: str, paths: Sequence[str]) -> list[bytes | None]:
        """Files as a commit has them; None for each that it has not."""
        if not paths:
            return []
        asked = "".join(f"{commit}:{path}\n" for path in paths).encode()
        out = self._run(("cat-file", "--batch"), given=asked)
        found: list[bytes | None] = []
        at = 0
        for _ in paths:
            end = out.index(b"\n", at)
            head = out[at:end].split()
            at = end + 1
            if head[-1] == _ABSENT:
                found.append(None)
                continue
            size = int(head[-1])
            found.append(out[at : at + size])
            at += size + 1
        return found

    def commit(self, paths: Sequence[str], message: str, at: datetime) -> str:
        """Commit these paths as they lie there now, or are no more; also where nothing changed."""
        if paths:
            given = "\0".join(paths).encode()
            listed = ("--pathspec-from-file=-", "--pathspec-file-nul")
            self._run(("--literal-pathspecs", "add", "-A", "-f", *listed), given=given)
        dates = {"GIT_AUTHOR_DATE": at.isoformat()}
        asked = ("commit", "-q", "--allow-empty", "--no-verify", "--cleanup=verbatim", "-F", "-")
        self._run(asked, given=message.encode(), more=dates)
        return self._do("rev-parse", "HEAD").strip()

    def tag(self, name: str, commit: str, message: str) -> None:
        asked = ("tag", "-a", "--cleanup=verbatim", "-F", "-", name, commit)
        self._run(asked, given=message.encode())

    def repair(self) -> None:
        """Undo what a killed process left: locks that nobody holds, and half a commit."""
        for lock in (self.root / ".git").rglob("*.lock"):
            lock.unlink(missing_ok=True)
        if self.head() is not None:
            self._do("checkout", "-q", "-f", "-B", "main", MAIN)
        else:
            (self.root / ".git" / "index").unlink(missing_ok=True)

    def _do(self, *arguments: str) -> str:
        return self._run(arguments).decode()

    def _run(
        self,
        arguments: Sequence[str],
        *,
        given: bytes = b"",
        more: Mapping[str, str] | None = None,
    ) -> bytes:
        # Whoever runs this may have settings, hooks and a repository of their own.
        mine = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        mine |= {
            f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in _AUTHOR.items()
        }
        mine |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **(more or {})}
        # Said, so that git never takes a checkout around the ledger for it.
        mine |= {"GIT_DIR": str(self.root / ".git"), "GIT_WORK_TREE": str(self.root)}
        options = (
            f"safe.directory={self.root}",
            f"core.hooksPath={os.devnull}",
            "gc.autoDetach=false",
            "maintenance.autoDetach=false",
        )
        settings = [word for option in options for word in ("-c", option)]
        try:
            done = subprocess.run(
                ["git", "-C", str(self.root), *settings, *arguments],
                input=given, capture_output=True, check=True, env=mine, pass_fds=self._held,
            )  # fmt: skip
        except FileNotFoundError:
            raise LedgerError(
                "There is no git on this machine.", next_step="Install git."
            ) from None
        except subprocess.CalledProcessError as error:
            said = " ".join(error.stderr.decode(errors="replace").split())
            raise LedgerError(
                f"git {arguments[0]} failed in the ledger: {said[:300]}",
                next_step="See `git status` in the ledger's folder.",
            ) from None
        return done.stdout
