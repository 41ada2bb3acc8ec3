"""What a volume goes through before the network sees it, and the way back to the volume's own grid."""

from eigenwarp.preprocess.alignment import Alignment
from eigenwarp.preprocess.preprocessing import Preprocessing
from eigenwarp.preprocess.restore import restore_probabilities, restore_segmentation

__all__ = ["Alignment", "Preprocessing", "restore_probabilities", "restore_segmentation"]
