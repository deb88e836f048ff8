"""A new paper: the one that lies in this folder, which works, under a name of one's own."""

from __future__ import annotations

from pathlib import Path

from benchmarks._outside.papers import proper

TEMPLATE = Path(__file__).parent / "mypaper"


def made(path: Path) -> Path:
    """The folder of a new paper that is called as its folder.

    Raises: ValueError where the name cannot be a paper's, or something is there already.
    """
    folder = path.expanduser().resolve()
    name = proper(folder.name)
    if folder.exists():
        raise ValueError(f"{path} must not be there yet, found a {'folder' if folder.is_dir() else 'file'}")
    folder.mkdir(parents=True)
    for file in sorted(TEMPLATE.glob("*.*")):
        text = (
            file.read_text(encoding="utf-8").replace(TEMPLATE.name, name).replace(TEMPLATE.name.upper(), name.upper())
        )
        (folder / file.name).write_text(text, encoding="utf-8")
    return folder
