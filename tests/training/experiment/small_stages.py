"""Stages that measure next to nothing, and say how often they ran."""

from collections import Counter
from dataclasses import dataclass, field

from matplotlib.figure import Figure as Picture

from training.experiment.findings import Figure, Findings, Table
from training.experiment.pictures import save_figure
from training.experiment.stage import OnProgress, Stage, Workplace


@dataclass
class Counted:
    """Makes stages that leave a table and a picture of their name."""

    runs: Counter[str] = field(default_factory=Counter)

    def stage(self, name: str, *, fails: bool = False, figures: tuple[str, ...] | None = None) -> Stage:
        def run(workplace: Workplace, progress: OnProgress) -> Findings:
            self.runs[name] += 1
            progress(0.5)
            if fails:
                raise RuntimeError("the instrument broke")
            named = (f"{name}-picture",) if figures is None else figures
            for figure in named:
                save_figure(Picture(figsize=(1, 1)), workplace.figures, figure)
            return Findings(
                text=f"First of {name}.\n\nSecond & last.",
                tables=(
                    Table(
                        name=f"{name}-table",
                        title=f"Table of {name}",
                        columns=("who", "how much (mm)", "how many"),
                        rows=(
                            (workplace.prepared_validation.names[0], 1 / 3, 12),
                            ('a, "quoted" <b>', None, workplace.seed),
                        ),
                        note="A note.",
                    ),
                ),
                figures=tuple(Figure(figure, f"Picture {figure} < of it") for figure in named),
            )

        return Stage(name, f"Title of {name}", "paper, section 0", run)
