"""What a list of models says of each."""

from eigenwarp.schemas.document import Document


class ModelRow(Document):
    """One bundle."""

    name: str
    version: str
    created: str
    labels: dict[str, int]
    data: str
    steps: int
    metrics: dict[str, dict[str, float]]
