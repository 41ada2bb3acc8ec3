"""Parameters that several commands take, declared once. Importing this loads neither numpy nor torch."""

import os
from pathlib import Path
from typing import Annotated

import typer

from eigenwarp.errors import DataSetError, OptionInvalidError
from eigenwarp.schemas.choices import AlignmentChoice, FieldFormatChoice, SideChoice, StructureChoice

DATA_SETTING = "EIGENWARP_DATA"

ModelOption = Annotated[str, typer.Option("--model", metavar="NAME", help="A model's name or its bundle's folder.")]
FieldFormatOption = Annotated[
    FieldFormatChoice,
    typer.Option(
        "--field-format",
        help="itk: ANTs, SimpleITK. ras: 3D Slicer. niftyreg: reg_resample. learn2reg: voxels, for its evaluation.",
    ),
]
AlignmentOption = Annotated[
    AlignmentChoice,
    typer.Option("--alignment", help="Initial alignment: grid centres, scanner coordinates, or centres of mass."),
]
LocalizeOption = Annotated[
    StructureChoice | None,
    typer.Option(
        "--localize", help="Whole heads: find this structure first, and take the crop around it. Needs --side."
    ),
]
SideOption = Annotated[
    SideChoice | None, typer.Option("--side", help="Of the patient, by the file's world coordinates; never guessed.")
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        envvar=DATA_SETTING,
        help="Data set: a folder of images/, labels/ and split.json, or a Decathlon task.",
    ),
]


def downloaded_hippocampus() -> Path:
    """Where ``eigenwarp data get hippocampus`` puts the data set unless told otherwise."""
    share = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(share) / "eigenwarp" / "hippocampus"


def known_data(given: Path | None) -> Path | None:
    """The data set asked for, else an earlier download, else None."""
    downloaded = downloaded_hippocampus()
    return given or (downloaded if downloaded.is_dir() else None)


def require_data(given: Path | None) -> Path:
    """The data set asked for, else an earlier download.

    Raises:
        DataSetError: neither.
    """
    found = known_data(given)
    if found is None:
        raise DataSetError(
            f"no data set: give --data DIR, set {DATA_SETTING}, or run 'eigenwarp data get hippocampus' first"
        )
    return found


def structure_and_side(
    structure: StructureChoice | None, side: SideChoice | None
) -> tuple[StructureChoice, SideChoice] | None:
    """What to find in whole heads, if anything.

    Raises:
        OptionInvalidError: one of the two without the other.
    """
    if structure is None and side is None:
        return None
    if structure is None or side is None:
        missing = "--localize" if structure is None else "--side"
        raise OptionInvalidError(f"--localize and --side go together: {missing} is missing")
    return structure, side
