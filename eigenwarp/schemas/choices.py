"""The values that options take, free of imports, so that a command line or a web page can name them at once."""

from typing import Literal

RefineChoice = Literal["none", "latent", "field"]
AlignmentChoice = Literal["center", "world", "moments"]
FieldFormatChoice = Literal["itk", "ras", "niftyreg", "learn2reg"]
StructureChoice = Literal["hippocampus"]
SideChoice = Literal["left", "right"]
WholeHeadChoice = Literal["both", "moving", "fixed"]
ScaleUnit = Literal["sd", "latent"]
"""``sd`` counts standard deviations of the training cohort along the component; ``latent`` is the paper's λ."""
